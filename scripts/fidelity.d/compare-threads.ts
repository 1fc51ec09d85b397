/**
 * Compares the stacks of threads that a text shows, `runtime stack:` and `goroutine 0`, with those of the report's
 * threads. The text does not say which thread it was: one of them must have these frames in a row, usually below those
 * of the signal handler that ended it.
 */
import type { Frame, Thread } from '../../src/engine/report/report.ts'
import type { OracleFrame, OracleGoroutine } from '../../test/support/traceback.ts'

const textOf = (f: OracleFrame | Frame): string =>
  `${f.function}(${f.args}) ${f.file}:${f.line} ${f.inlined ? 'inlined' : `pc=${f.pc}`}`

/** The difference to the thread that comes nearest; empty where one has it all. */
export function compareThread(theirs: OracleGoroutine, threads: readonly Thread[]): string[] {
  const wanted = theirs.frames.map(textOf)
  let nearest = { equal: -1, next: 'no such stack' as string | undefined }
  for (const { frames } of threads) {
    const ours = frames.map(textOf)
    for (let start = 0; start < ours.length; start++) {
      let equal = 0
      while (equal < wanted.length && ours[start + equal] === wanted[equal]) equal++
      if (equal === wanted.length) return []
      if (equal > nearest.equal) nearest = { equal, next: ours[start + equal] }
    }
  }
  const at = Math.max(0, nearest.equal)
  return [`- ${at} ${wanted[at]}`, `+ ${at} ${nearest.next ?? 'no frame'}`]
}
