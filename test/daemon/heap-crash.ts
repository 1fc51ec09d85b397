/** Crashes of `programs/heap`: a real core with a heap of noise and a thousand goroutines. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { releases } from '../../scripts/fidelity.d/toolchains.ts'
import { type DumpRef, importCore, type LocalStore } from '../../src/archive/index.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { takeCorePattern } from '../support/core-pattern.ts'

export interface HeapCrash extends Disposable {
  readonly directory: string
  readonly executable: string
  readonly core: string
}

export interface HeapOptions {
  /** Minor version, `1.26`. */
  readonly go: string
  readonly megabytes: number
  readonly flags?: readonly string[]
}

/** Undefined where this Go version is not to be had. */
export async function crashHeap({ go, megabytes, flags = [] }: HeapOptions): Promise<HeapCrash | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-heap-'))
  const dispose = (): void => rmSync(directory, { recursive: true, force: true })
  const executable = join(directory, 'heap')
  const built = spawnSync('go', ['build', ...flags, '-o', executable, '.'], {
    cwd: join(import.meta.dirname, 'programs/heap'),
    env: { ...process.env, GOTOOLCHAIN: `go${releases[go]}`, GOFLAGS: '' },
    encoding: 'utf8',
  })
  if (built.status !== 0) {
    dispose()
    return undefined
  }

  let died: { status: number | null; signal: string | null; error?: Error }
  {
    using pattern = await takeCorePattern()
    pattern.set(join(directory, 'core.%P'))
    const command = ['-c', 'ulimit -c unlimited; exec "$0" "$1"', executable, String(megabytes)]
    died = spawnSync('/bin/sh', command, {
      cwd: directory,
      env: { GOTRACEBACK: 'crash' },
      // A traceback of a thousand goroutines is more than spawnSync takes.
      stdio: 'ignore',
    })
  }
  const core = readdirSync(directory).find(name => name.startsWith('core.'))
  if (core === undefined) {
    const { status, signal, error } = died
    dispose()
    throw new Error(`the program left no core: status ${status}, signal ${signal}`, { cause: error })
  }
  return { directory, executable, core: join(directory, core), [Symbol.dispose]: dispose }
}

/** Puts a crash into the archive, with its executable. */
export function keepCrash(store: LocalStore, crash: HeapCrash): DumpRef {
  using source = openCoreFile(crash.core)
  return importCore(store, source, {
    facts: {
      ...{ tool: { version: '0', node: '' }, host: { name: 'here' }, time: new Date().toISOString() },
      process: { pid: 1, uid: 0, gid: 0, comm: 'heap', exe: crash.executable },
      ...{ signal: { number: 6, name: 'SIGABRT' }, rlimit_core: 'unlimited', notes: [] },
    },
    expectedSize: source.size,
    executable: { path: crash.executable, file: crash.executable },
    libraries: [],
  }).ref
}
