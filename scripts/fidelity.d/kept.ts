/** Crashes kept in a directory: cores, texts, and the executables under bin. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Crashed } from './cell.ts'
import type { Crash } from './crash.ts'

/** Copies the executable beside its core; gives the crash that refers to the copy. */
export function keepExecutable(crash: Crash, dir: string): Crash {
  mkdirSync(join(dir, 'bin'), { recursive: true })
  const executable = join(dir, 'bin', crash.program)
  copyFileSync(crash.executable, executable)
  writeFileSync(join(dir, `${crash.program}.clock`), String(crash.monotonicNow ?? ''))
  return { ...crash, executable }
}

/** What an earlier run kept; undefined where it kept nothing. */
export function keptCrashes(dir: string, programs: readonly string[] | undefined): Crashed | undefined {
  if (!existsSync(dir)) return undefined
  const crashes = readdirSync(dir)
    .filter(name => name.endsWith('.core'))
    .map(name => name.slice(0, -'.core'.length))
    .filter(program => programs?.includes(program) ?? true)
    .sort()
    .map(program => ({
      program,
      executable: join(dir, 'bin', program),
      core: join(dir, `${program}.core`),
      text: join(dir, `${program}.txt`),
      ...clockOf(join(dir, `${program}.clock`)),
    }))
  return { crashes, without: [] }
}

function clockOf(file: string): { monotonicNow?: number } {
  const now = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  return now > 0 ? { monotonicNow: now } : {}
}
