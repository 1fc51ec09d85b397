/** A handler whose storage fails or hangs on command: see fault-shim.c. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HandlerBed } from './handler-bed.ts'

export const noShim = spawnSync('cc', ['--version']).status === 0 ? false : 'a C compiler is not installed'

/** One fault: a call below the archive, the how manieth (0: each), and an error's name, `stall` or `slow`. */
export type Fault = readonly [
  call: 'pwrite' | 'fsync' | 'open' | 'mkdir' | 'rename',
  nth: number,
  what: 'stall' | 'slow' | 'EIO' | 'ENOSPC' | 'EDQUOT' | 'ESTALE' | 'EROFS' | 'EACCES',
]

/** The words before a handler's command line that bring `faults` upon `directory`. */
export function faultPrefix(bed: HandlerBed, directory: string, faults: readonly Fault[]): string {
  const library = bed.path('shim.so')
  const source = join(import.meta.dirname, 'fault-shim.c')
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  writeFileSync(bed.path('plan'), faults.map(fault => `${fault.join(' ')}\n`).join(''))
  return `env LD_PRELOAD=${library} FAULT_PATH=${directory} FAULT_PLAN=${bed.path('plan')}`
}
