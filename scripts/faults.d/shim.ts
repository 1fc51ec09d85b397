/** The shim, compiled once, and the environment that puts it before the handler. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let built: string | undefined

export const noCompiler = (): string | false =>
  spawnSync('cc', ['--version']).status === 0 ? false : 'no C compiler'

/** Path of shim.so; it goes with this process. */
export function shim(): string {
  if (built !== undefined) return built
  const directory = mkdtempSync(join(tmpdir(), 'gocore-shim-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  built = join(directory, 'shim.so')
  execFileSync('cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-w',
    '-o',
    built,
    join(import.meta.dirname, 'shim.c'),
    '-ldl',
  ])
  return built
}

export interface ShimFault {
  root: string
  /** A number of errno(3), or `stall`. */
  errno: number | 'stall'
  /** The call from which on it happens, counted from 1. */
  at: number
  once?: boolean
}

export const faultEnv = ({ root, errno, at, once }: ShimFault): Record<string, string> => ({
  ...{ LD_PRELOAD: shim(), FAULT_ROOT: root, FAULT_ERRNO: String(errno), FAULT_AT: String(at) },
  ...(once ? { FAULT_ONCE: '1' } : {}),
})

/** Calls that a program made under `env`, with `FAULT_COUNT` in it. */
export const countedCalls = (file: string): number => Number(readFileSync(file, 'latin1'))
