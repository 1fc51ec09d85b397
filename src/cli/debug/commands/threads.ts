/** `threads` as Delve lists them. */
import { hex } from '../../render/value-json.ts'
import type { DebugCommand } from '../command.ts'
import { clean } from '../state.ts'

export const threads: DebugCommand = {
  name: 'threads',
  usage: 'threads',
  describe: "list the kernel's threads",
  schema: 'gocore-thread-list',
  run(state) {
    const rows = state.debugger.process.image.core.threads.map(({ tid, registers }) => {
      const [frame] = state.debugger.stack({ kind: 'thread', tid }).frames
      return { tid, pc: registers.pc, function: frame?.function, file: frame?.file, line: frame?.line }
    })
    rows.sort((a, b) => a.tid - b.tid)
    return {
      lines: () =>
        rows.map(({ tid, pc, function: name = '??', file = '', line = 0 }) => {
          const where = file === '' ? '' : `${file}:${line} `
          return `${tid === state.thread ? '* ' : '  '}Thread ${tid} at 0x${pc.toString(16)} ${clean(where + name)}`
        }),
      data: () => ({ threads: rows.map(row => ({ ...row, pc: hex(row.pc) })) }),
    }
  },
}
