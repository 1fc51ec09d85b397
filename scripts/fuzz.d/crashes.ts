/**
 * Crashes with debug information, of Go programs and one in C, made once for all runs: they take a compiler, root and the
 * machine's core_pattern. Where that is not to be had there are none, and no inputs of the targets that start from them.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeCorePattern } from '../../test/support/core-pattern.ts'
import { crashPrograms, whyNoCrashes } from '../../test/support/crashed-programs.ts'

const root = join(import.meta.dirname, '../..')
const kept = join(root, '.tools/fuzz/crashes')

export interface CrashFiles {
  readonly core: string
  readonly executable: string
}

/** Go version and program: versions that lay out tables, types and maps in their own ways, and deaths of several kinds. */
const programs = {
  go: ['1.26', 'values-locals'],
  'go1.19': ['1.19', 'values-kinds'],
  'go1.23': ['1.23', 'values-maps'],
  'go1.24': ['1.24', 'values-chans'],
  'go1.27': ['1.27', 'values-maps'],
  nested: ['1.21', 'panic-nested'],
  recovery: ['1.22', 'frame-recovery'],
  fault: ['1.24', 'fatal-fault'],
  throw: ['1.25', 'fatal-map-writes'],
  labels: ['1.26', 'run-labels'],
} as const

type GoCrash = keyof typeof programs
export type CrashName = GoCrash | 'c'

/** Undefined before `prepareCrashes`, or where it could not make this one. */
export function crashFiles(name: CrashName): CrashFiles | undefined {
  const files = { core: join(kept, `${name}.core`), executable: join(kept, name) }
  return existsSync(files.core) ? files : undefined
}

export async function prepareCrashes(): Promise<void> {
  if (whyNoCrashes() !== undefined) return
  mkdirSync(kept, { recursive: true })
  for (const name of Object.keys(programs) as GoCrash[])
    if (crashFiles(name) === undefined) await crashGo(name)
  if (crashFiles('c') === undefined) await crashC()
}

async function crashGo(name: GoCrash): Promise<void> {
  const [version, program] = programs[name]
  using crashed = await crashPrograms(version, 'full', [program])
  const crash = crashed?.crashes[0]
  if (crash !== undefined) keep(name, crash)
}

async function crashC(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'gocore-sink-fuzz-'))
  try {
    const executable = join(dir, 'stacks')
    const source = join(root, 'test/programs-c/stacks.c')
    const { status } = spawnSync('gcc', [
      '-O1',
      '-g',
      '-gz=none',
      '-static',
      '-o',
      executable,
      source,
      '-pthread',
    ])
    if (status !== 0) return
    using pattern = await takeCorePattern()
    pattern.set(join(dir, 'core'))
    spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0" "$1"', executable, 'handler'], {
      ...{ env: {}, cwd: dir, stdio: 'ignore', timeout: 20_000 },
    })
    if (existsSync(join(dir, 'core'))) keep('c', { core: join(dir, 'core'), executable })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The core last, and whole when it appears: another run may look. */
function keep(name: CrashName, { core, executable }: CrashFiles): void {
  const copy = (from: string, to: string): void => {
    const temporary = join(kept, `${to}.${process.pid}`)
    copyFileSync(from, temporary)
    renameSync(temporary, join(kept, to))
  }
  copy(executable, name)
  copy(core, `${name}.core`)
}
