import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Rights } from '../../src/archive/access.ts'
import {
  type CoreContent,
  type DumpEntry,
  type ImportOptions,
  idOfCore,
  importCore,
  importDump,
  initializeStore,
  openLocalStore,
  type StoredBinary,
} from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import { LocalStore } from '../../src/archive/local-store.ts'
import { importOnce } from '../../src/cli/import-once.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { addDump, report, type TestArchive, testArchive } from '../daemon/archive.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const core = randomBytes(5_000_000)
const needsLz4 = spawnSync('lz4', ['--version']).status !== 0 && 'lz4 is not installed'
const contentOf = (bytes: Buffer): CoreContent => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
})
const options: ImportOptions = {
  facts: {
    ...{ tool: { version: '0', node: '' }, host: { name: 'here' }, time: '2026-11-20T10:00:00.000Z' },
    ...{ process: { pid: 1, uid: 0, gid: 0, comm: 'x' }, signal: { number: 6, name: 'SIGABRT' } },
    ...{ rlimit_core: 'unlimited', notes: [] },
  },
  expectedSize: core.length,
  libraries: [],
}

/** An import of a process that ends without a word in the middle of the core. */
function interrupt({ directory, store }: TestArchive): void {
  const file = join(directory, 'core')
  writeFileSync(file, core)
  const source = join(import.meta.dirname, '../../src/archive/index.ts')
  const script = `
    import { readFileSync } from 'node:fs'
    import { importCore, openLocalStore } from ${JSON.stringify(source)}
    const bytes = readFileSync(${JSON.stringify(file)})
    const read = (offset, length) => bytes.subarray(offset, offset + length)
    importCore(openLocalStore(${JSON.stringify(store.root)}), { size: bytes.length, read }, {
      ...${JSON.stringify(options)},
      onProgress: done => done > 2_000_000 && process.kill(process.pid, 'SIGKILL'),
    })`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  assert.equal(run.signal, 'SIGKILL', String(run.stderr))
}

function contentIn(store: LocalStore, ref: { id: string; day: string }): Buffer {
  using source = openCoreFile(store.corePath(ref)!)
  return Buffer.from(source.read(0, source.size))
}

/** Another archive with a dump. */
function other({ directory }: TestArchive): { from: LocalStore; dump: DumpEntry } {
  const from = openLocalStore(join(directory, 'from'))
  initializeStore(from)
  addDump(from, { core })
  return { from, dump: [...from.list()][0]! }
}

describe('importCore()', () => {
  it('takes a core in whose import was killed before', () => {
    using archive = testArchive()
    const { store } = archive
    interrupt(archive)
    const ref = { id: idOfCore(contentOf(core)), day: '2026/11/20' }
    assert.deepEqual(readdirSync(store.layout.dump(ref)), ['core.lz4.part'])
    assert.deepEqual(importCore(store, contentOf(core), options), { ref, isNew: true })
    assert.ok(contentIn(store, ref).equals(core))
    assert.deepEqual([...verify({ store })].filter(isFinding), [])
    assert.equal(importCore(store, contentOf(core), options).isNew, false)
  })

  it('writes no size that is past counting, whatever a damaged header promises', () => {
    using archive = testArchive()
    const { store } = archive
    const { ref } = importCore(store, contentOf(core), { ...options, expectedSize: 0xfffffffffffff000 })
    const { state, detail, expected_size } = store.readManifest(ref).core
    assert.deepEqual([state, expected_size], ['truncated', undefined])
    assert.match(detail!, /ended early/)
    assert.deepEqual([...verify({ store })].filter(isFinding), [])
  })

  it('does not call a core complete whose file is damaged, whatever says so', { skip: needsLz4 }, () => {
    for (const [flags, what] of [
      ['-1', /^the file that was imported is damaged: the checksum of the content of blocks 0 to 1 is wrong/],
      ['-BX --no-frame-crc', /^the file that was imported is damaged: .*the checksum of block 1 is wrong/],
    ] as const) {
      using archive = testArchive()
      const { store, directory } = archive
      const [plain, packed] = [join(directory, 'core'), join(directory, 'core.lz4')]
      writeFileSync(plain, core)
      execFileSync('lz4', ['-q', ...flags.split(' '), plain, packed])
      const bytes = readFileSync(packed)
      bytes[4_500_000]! ^= 1
      for (const state of ['complete', 'truncated']) {
        using content = openCoreFile(packed, { tolerant: true })
        const { ref } = importCore(store, content, options)
        assert.equal(store.readManifest(ref).core.state, state)
        if (state === 'truncated') assert.match(store.readManifest(ref).core.detail!, what)
        store.remove(ref)
        writeFileSync(packed, bytes)
      }
    }
  })

  it('publishes nothing once somebody else has taken over', () => {
    using archive = testArchive()
    const taken = { ...options, isHeld: () => false }
    assert.throws(() => importCore(archive.store, contentOf(core), taken), /somebody else has taken it over/)
    assert.deepEqual([...archive.store.list()], [])
    assert.equal(importCore(archive.store, contentOf(core), options).isNew, true)
  })
})

describe('importDump()', () => {
  it('leaves nothing in the way where there was no room', {
    skip: process.getuid!() !== 0 && 'needs root',
  }, () => {
    using archive = testArchive()
    const { from, dump } = other(archive)
    const small = join(archive.directory, 'small')
    mkdirSync(small)
    using _disk = mountTmpfs(small, 'size=3m,mode=755')
    const store = openLocalStore(join(small, 'archive'))
    initializeStore(store)
    assert.throws(() => importDump(store, from, dump), /ENOSPC/)
    assert.deepEqual(readdirSync(store.layout.dump(dump)), [])
    execFileSync('mount', ['-o', 'remount,size=30m', small])
    assert.equal(importDump(store, from, dump).isNew, true)
    assert.ok(contentIn(store, dump).equals(core))
  })

  it('calls a core complete that is, and not one whose file has become shorter', () => {
    for (const [change, state, least] of [
      [() => {}, 'complete', core.length],
      [
        (path: string) => truncateSync(path, statSync(path).size - (1 << 20)),
        'truncated',
        core.length - (9 << 17),
      ],
      [(path: string) => appendFileSync(path, 'more'), 'complete', core.length],
    ] as const) {
      using archive = testArchive()
      const { store } = archive
      const { from, dump } = other(archive)
      change(from.corePath(dump)!)
      importDump(store, from, dump)
      const manifest = store.readManifest(dump)
      assert.equal(manifest.core.state, state)
      assert.ok(manifest.core.raw_size >= least && manifest.core.raw_size <= core.length)
      if (state === 'truncated')
        assert.match(manifest.core.detail!, /imported has [0-9]+ bytes where its manifest says [0-9]+$/)
      const content = contentIn(store, dump)
      assert.equal(content.length, manifest.core.raw_size)
      assert.ok(content.equals(core.subarray(0, content.length)))
      assert.deepEqual(
        [...verify({ store })].filter(isFinding).filter(({ severity }) => severity === 'problem'),
        [],
      )
    }
  })

  it('takes no part of an encrypted core, nor one that is another', () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    const path = from.corePath(dump)!
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex')
    const encrypted = { to: ['age1x'], sha256, time: new Date().toISOString() }
    const manifest = from.changeManifest(dump, all => ({
      ...all,
      core: { ...all.core, file: 'core.lz4.age', encrypted },
    }))
    renameSync(path, from.layout.file(dump, 'core.lz4.age'))
    const bytes = readFileSync(from.layout.file(dump, 'core.lz4.age'))
    for (const damaged of [bytes.subarray(0, -5), Buffer.concat([bytes.subarray(0, -1), Buffer.from([0])])]) {
      writeFileSync(from.layout.file(dump, 'core.lz4.age'), damaged)
      assert.throws(() => importDump(store, from, { ...dump, manifest }), /is not the file that its manifest/)
      assert.deepEqual([...store.list()], [])
    }
    writeFileSync(from.layout.file(dump, 'core.lz4.age'), bytes)
    assert.equal(importDump(store, from, { ...dump, manifest }).isNew, true)
    assert.deepEqual(store.readManifest(dump).core, manifest.core)
  })

  it('does not touch what a handler has begun', () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    const directory = store.layout.dump(dump)
    mkdirSync(directory, { recursive: true })
    for (const name of ['pending.json', 'core.lz4.part']) writeFileSync(join(directory, name), 'begun')
    assert.throws(() => importDump(store, from, dump), /a handler has begun it in the archive/)
    assert.deepEqual(readdirSync(directory).sort(), ['core.lz4.part', 'pending.json'])
  })

  it("gives executable and libraries the rights of the dump: those of a set-user-id program are root's alone", () => {
    for (const [dumpable, mode] of [
      [1, 0o640],
      [2, 0o600],
      [undefined, 0o600],
    ] as const) {
      using archive = testArchive()
      const from = openLocalStore(join(archive.directory, 'from'))
      initializeStore(from)
      const keys = ['program', 'library'].map(name => {
        const file = join(archive.directory, name)
        writeFileSync(file, name)
        return from.addBinary({ fd: openSync(file, 'r'), size: name.length })
      })
      const [executable, library] = keys.map(key => ({ key, path: '/srv/it' })) as [
        StoredBinary,
        StoredBinary,
      ]
      addDump(from, {
        manifest: { ...(dumpable === undefined ? {} : { dumpable }), executable, libraries: [library] },
      })
      const store = new LocalStore(archive.store.root, new Rights(process.getgid!()))
      importDump(store, from, [...from.list()][0]!)
      for (const key of keys) {
        const place = store.layout.binary(key)
        for (const name of readdirSync(place))
          assert.equal(statSync(join(place, name)).mode & 0o777, mode, `${name} of dumpable ${dumpable}`)
      }
    }
  })
})

describe('importDump() of what another archive says of a dump', () => {
  it('takes over its pin, and its legal hold', () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    const pin = { by: 'ada', reason: 'incident 812', time: '2026-11-20T10:00:00.000Z' }
    from.pin(dump, pin)
    const hold = { by: 'eve', time: '2026-11-21T10:00:00.000Z', reason: 'case 7' }
    from.changeManifest(dump, manifest => ({ ...manifest, hold }))
    const { ref } = importDump(store, from, [...from.list()][0]!)
    assert.deepEqual([...store.readPins()], [[dump.id, pin]])
    assert.deepEqual(store.readManifest(ref).hold, hold)
    assert.throws(() => store.remove(ref), /on hold by eve/)
  })

  it('pins it before it is listed', () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    from.pin(dump, { time: '2026-11-20T10:00:00.000Z' })
    writeFileSync(store.layout.pins, 'no directory')
    assert.throws(() => importDump(store, from, dump))
    assert.deepEqual([...store.list()], [])
    rmSync(store.layout.pins)
    assert.equal(importDump(store, from, dump).isNew, true)
    assert.ok(store.readPins().has(dump.id))
  })

  it('says of a core that is gone that there is none, and why, and keeps facts and report', () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    from.writeReport(dump, JSON.stringify(report()))
    rmSync(from.corePath(dump)!)
    const imported = importDump(store, from, dump)
    assert.equal(imported.lacksCore, true)
    const manifest = store.readManifest(imported.ref)
    assert.deepEqual(manifest.core, {
      ...{ state: 'none', reason: 'imported', raw_size: 0, stored_size: 0, expected_size: core.length },
      detail: 'its core (complete) was gone from the archive that it came from',
    })
    assert.deepEqual(manifest.process, dump.manifest.process)
    assert.equal(store.readReport(dump), from.readReport(dump))
    assert.deepEqual([...verify({ store })].filter(isFinding), [])
  })
})

describe('importOnce()', () => {
  it('waits for who is at the same core, and finds what they have made', async () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    const lease = new Leases(store).take(dump.id)!
    const second = importOnce(store, dump.id, watch => importDump(store, from, dump, watch))
    await setTimeout(600)
    assert.deepEqual([...store.list()], [])
    assert.equal(importDump(store, from, dump).isNew, true)
    lease[Symbol.dispose]()
    assert.deepEqual(await second, { ref: [...store.list()][0], isNew: false })
    assert.deepEqual(readdirSync(join(store.root, 'leases')), [])
  })

  it('asks for no lease where the dump is there', async () => {
    using archive = testArchive()
    const { store } = archive
    const { from, dump } = other(archive)
    importDump(store, from, dump)
    rmSync(join(store.root, 'leases'), { recursive: true, force: true })
    assert.equal((await importOnce(store, dump.id, () => assert.fail())).isNew, false)
    assert.ok(!readdirSync(store.root).includes('leases'))
  })
})
