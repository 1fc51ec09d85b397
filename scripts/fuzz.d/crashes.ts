/**
 * Crashes with debug information, of a Go program and one in C, made once for all runs: they take a compiler, root and the
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

/** Undefined before `prepareCrashes`, or where it could not make this one. */
export function crashFiles(language: 'go' | 'c'): CrashFiles | undefined {
  const files = { core: join(kept, `${language}.core`), executable: join(kept, language) }
  return existsSync(files.core) ? files : undefined
}

export async function prepareCrashes(): Promise<void> {
  if (whyNoCrashes() !== undefined) return
  mkdirSync(kept, { recursive: true })
  if (crashFiles('go') === undefined) await crashGo()
  if (crashFiles('c') === undefined) await crashC()
}

async function crashGo(): Promise<void> {
  using crashed = await crashPrograms('1.26', 'full', ['values-locals'])
  const crash = crashed?.crashes[0]
  if (crash !== undefined) keep('go', crash)
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
function keep(language: 'go' | 'c', { core, executable }: CrashFiles): void {
  const copy = (from: string, name: string): void => {
    const temporary = join(kept, `${name}.${process.pid}`)
    copyFileSync(from, temporary)
    renameSync(temporary, join(kept, name))
  }
  copy(executable, language)
  copy(core, `${language}.core`)
}
