/** Archives for tests, filled with dumps of which everything is known. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DumpRef,
  initializeStore,
  type LocalStore,
  type Manifest,
  newId,
  openLocalStore,
} from '../../src/archive/index.ts'
import { type Frame, type Report, reportVersion } from '../../src/engine/report/report.ts'
import { packLz4 } from '../support/lz4-file.ts'

export interface TestArchive {
  readonly directory: string
  readonly store: LocalStore
  [Symbol.dispose](): void
}

/** A directory of its own, with an empty archive in `archive`. */
export function testArchive(): TestArchive {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-daemon-'))
  const store = openLocalStore(join(directory, 'archive'))
  initializeStore(store)
  makeOld(store)
  return { directory, store, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

/** Made long before any of its dumps. */
export const makeOld = (store: LocalStore): void => utimesSync(join(store.root, 'format.json'), 1, 1)

export interface DumpOptions {
  time?: Date
  /** The core's content; null for a dump without one. */
  core?: Buffer | null
  /** Given to the manifest last. */
  manifest?: Partial<Manifest>
  id?: string
}

/** Puts a whole dump into the archive as a handler would, the manifest last. */
export function addDump(store: LocalStore, options: DumpOptions = {}): DumpRef {
  const { time = new Date(), core = Buffer.from('the core of nothing'), id = newId() } = options
  const ref = { id, day: time.toISOString().slice(0, 10).replaceAll('-', '/') }
  const directory = store.layout.dump(ref)
  mkdirSync(directory, { recursive: true })
  const stored = core === null ? Buffer.alloc(0) : packLz4(core, 64 * 1024)
  if (core !== null) writeFileSync(join(directory, 'core.lz4'), stored)
  const manifest: Manifest = {
    ...{ schema: 'gocore-manifest', version: 1, id, tool: { version: '0.1.0', node: process.version } },
    host: { name: hostname() },
    time: time.toISOString(),
    process: { pid: 4121, uid: 33, gid: 33, comm: 'api', exe: '/srv/api/api-server' },
    signal: { number: 6, name: 'SIGABRT' },
    rlimit_core: 'unlimited',
    core:
      core === null
        ? { state: 'none', reason: 'rlimit', detail: 'RLIMIT_CORE is 0', raw_size: 0, stored_size: 0 }
        : {
            state: 'complete',
            file: 'core.lz4',
            raw_size: core.length,
            stored_size: stored.length,
            expected_size: core.length,
          },
    libraries: [],
    held_ms: 12.5,
    notes: [],
    ...options.manifest,
  }
  const path = store.layout.file(ref, 'manifest.json')
  writeFileSync(`${path}.tmp`, JSON.stringify(manifest))
  renameSync(`${path}.tmp`, path)
  return ref
}

/** A core of one segment that holds `memory`, with `note` among its headers, and noise behind them that does not shrink. */
export function coreOf(memory: Buffer, note: Buffer = Buffer.alloc(0)): Buffer {
  const core = Buffer.concat([Buffer.alloc(64 + 2 * 56), randomBytes(4096 - 64 - 2 * 56), memory])
  core.write('\x7fELF\x02\x01\x01', 'latin1')
  core.writeUInt16LE(4, 16) // e_type: ET_CORE
  core.writeUInt16LE(62, 18) // e_machine: EM_X86_64
  core.writeBigUInt64LE(64n, 32) // e_phoff
  core.writeUInt16LE(56, 54) // e_phentsize
  core.writeUInt16LE(2, 56) // e_phnum
  core.writeUInt32LE(4, 64) // p_type: PT_NOTE
  core.writeBigUInt64LE(BigInt(64 + 2 * 56), 72) // p_offset
  core.writeBigUInt64LE(BigInt(note.length), 96) // p_filesz
  note.copy(core, 64 + 2 * 56)
  core.writeUInt32LE(1, 120) // p_type: PT_LOAD
  core.writeBigUInt64LE(4096n, 128)
  core.writeBigUInt64LE(BigInt(memory.length), 152)
  return core
}

/** Stores the executable of a dump, for its manifest. */
export function addExecutable(store: LocalStore): Pick<Manifest, 'executable'> {
  const path = join(store.root, '..', 'api-server')
  writeFileSync(path, 'the program')
  const fd = openSync(path, 'r')
  const key = store.addBinary({ fd, size: 11 })
  closeSync(fd)
  return { executable: { key, path: '/srv/api/api-server' } }
}

/** Puts in its place a link that goes round: it can't be listed, by nobody, root included. */
export function makeUnlistable(directory: string): void {
  rmSync(directory, { recursive: true })
  symlinkSync(directory, directory)
}

/** What `work` gives for one who has none of root's powers, and owns nothing. */
export function asNobody<T>(work: () => T): T {
  if (process.getuid?.() !== 0) return work()
  process.seteuid!(65534)
  try {
    return work()
  } finally {
    process.seteuid!(0)
  }
}

export const frame = (name: string, file: string, line: number): Frame => ({
  ...{ function: name, file, line, offset: 0x21, pc: '0x4a1b2c', inlined: false, args: '' },
})

/** A report as the engine could have made it, of a panic in `main.(*cache).put`. */
export function report(over: Partial<Report> = {}): Report {
  const frames = [
    frame('panic', '/go/src/runtime/panic.go', 783),
    frame('runtime.mapassign_faststr', '/go/src/internal/runtime/maps/runtime_faststr_swiss.go', 263),
    frame('main.(*cache).put', '/src/api/cache.go', 41),
    frame('main.main', '/src/api/main.go', 12),
  ]
  const state = 'running'
  return {
    schema: 'gocore-report',
    version: reportVersion,
    core: { expectedSize: 19, size: 19, complete: true, arch: 'amd64' },
    program: { name: 'api', language: 'go' },
    go: { version: 'go1.26.8', layout: 'table', main: { path: 'example.org/api', version: 'v1.4.2' } },
    death: {
      ...{
        kind: 'panic',
        message: 'panic: assignment to entry in nil map',
        verdict: 'A nil map.',
        goroutine: 18,
      },
      panics: [
        { text: 'assignment to entry in nil map', recovered: false, repanicked: false, goexit: false },
      ],
    },
    goroutineCount: 1,
    goroutines: [{ id: 18, state, status: 'running', lockedToThread: false, system: false, frames }],
    goroutinesOmitted: 0,
    groups: [{ count: 1, ids: [18], state, system: false, frames }],
    threads: [],
    signature: { key: '5d41402abc4b', text: 'panic: assignment main.(*cache).put' },
    warnings: [],
    ...over,
  }
}
