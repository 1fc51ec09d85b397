import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { type DumpRef, initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { Shipping } from '../../src/daemon/shipping.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { addDump, type TestArchive, testArchive } from './archive.ts'

function spoolOf(archive: TestArchive): LocalStore {
  const spool = openLocalStore(join(archive.directory, 'spool'))
  initializeStore(spool)
  return spool
}

function addBinary(store: LocalStore, directory: string, content: string): string {
  writeFileSync(join(directory, 'program'), content)
  const fd = openSync(join(directory, 'program'), 'r')
  const key = store.addBinary({ fd, size: content.length }, {})
  closeSync(fd)
  return key
}

const makeOld = (store: LocalStore, key: string): void => utimesSync(store.binaryPath(key)!, 0, 0)
const keysIn = (store: LocalStore): string[] => [...store.binaries()].map(({ key }) => key)

describe('shipSpool()', () => {
  it('brings dumps home whole, with their executables, and leaves nothing behind', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const key = addBinary(spool, archive.directory, 'the program')
    makeOld(spool, key)
    const core = randomBytes(3_000_000)
    const ref = addDump(spool, { core, manifest: { executable: { key, path: '/srv/api' }, dumpable: 2 } })
    const bare = addDump(spool, { core: null })
    const stored = readFileSync(spool.corePath(ref)!)
    assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }, { ref: bare }].sort(byOldest(archive)))
    assert.deepEqual(readFileSync(archive.store.corePath(ref)!), stored)
    assert.equal(statSync(archive.store.corePath(ref)!).mode & 0o777, 0o600)
    assert.match(archive.store.readManifest(ref).notes.at(-1)!, /Stored on this machine first; shipped/)
    assert.equal(readFileSync(archive.store.binaryPath(key)!, 'utf8'), 'the program')
    assert.deepEqual([...spool.list()], [])
    assert.deepEqual([...spool.binaries()], [])
    assert.deepEqual([...verify({ store: archive.store })].filter(isFinding), [])
    assert.deepEqual(await shipSpool(spool, archive.store), [])
  })

  it('begins again what was cut, and does not ship twice', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const [cut, done] = [addDump(spool), addDump(spool)]
    addDump(archive.store, { id: cut.id, core: Buffer.from('half of it') })
    addDump(archive.store, { id: done.id })
    const { layout } = archive.store
    writeFileSync(layout.file(cut, 'core.lz4.part'), 'half')
    rmSync(layout.file(cut, 'manifest.json'))
    const before = readFileSync(layout.file(done, 'manifest.json'), 'utf8')
    await shipSpool(spool, archive.store)
    assert.equal(archive.store.readManifest(cut).core.state, 'complete')
    assert.equal(existsSync(layout.file(cut, 'core.lz4.part')), false)
    assert.equal(readFileSync(layout.file(done, 'manifest.json'), 'utf8'), before)
    assert.deepEqual([...spool.list()], [])
  })

  it('keeps what the archive does not take, and what is gone', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const ref = addDump(spool, { core: randomBytes(100_000) })
    const nowhere = openLocalStore('/proc/nowhere')
    assert.ok((await shipSpool(spool, nowhere))[0]!.failed)
    rmSync(spool.corePath(ref)!)
    const [shipment] = await shipSpool(spool, archive.store)
    assert.match(shipment!.failed!, /its core is gone, of which the manifest says/)
    assert.equal([...archive.store.list()].length, 0)
    assert.equal([...spool.list()].length, 1)
  })

  it('ships a core that is shorter or longer than its manifest says, and tells what it holds', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const [short, long] = [0, 1].map(() => addDump(spool, { core: randomBytes(3_000_000) }))
    const stored = (ref: DumpRef): number => statSync(spool.corePath(ref)!).size
    truncateSync(spool.corePath(short!)!, stored(short!) - 1_500_000)
    appendFileSync(spool.corePath(long!)!, 'more')
    assert.deepEqual(
      (await shipSpool(spool, archive.store)).map(({ failed }) => failed),
      [undefined, undefined],
    )
    const { core } = archive.store.readManifest(short!)
    assert.equal(core.state, 'truncated')
    assert.match(core.detail!, /of 3000000 bytes that storage had taken are lost/)
    assert.ok(core.raw_size > 0 && core.raw_size < 3_000_000)
    assert.equal(archive.store.readManifest(long!).core.raw_size, 3_000_000)
    const problems = [...verify({ store: archive.store })].filter(
      entry => isFinding(entry) && entry.severity === 'problem',
    )
    // What is no part of the file went with the end that it has now.
    assert.deepEqual(problems, [])
    assert.equal(archive.store.readManifest(long!).core.state, 'complete')
    assert.deepEqual([...spool.list()], [])
  })

  it('gives up nothing that the archive does not read back as it was written', {
    skip: byFuse.unavailable(),
  }, async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const ref = addDump(spool, { core: randomBytes(3_000_000) })
    const at = join(archive.directory, 'mount')
    mkdirSync(at)
    const mounted = await byFuse.mount(at, join(archive.directory, 'files'))
    try {
      const store = openLocalStore(join(at, 'archive'))
      initializeStore(store)
      mounted.lie!(true)
      const [shipment] = await shipSpool(spool, store)
      assert.match(shipment?.failed ?? '', /reads back as something else than was written/)
      assert.equal([...spool.list()].length, 1)
      assert.deepEqual([...store.list()], [])
      mounted.lie!(false)
      assert.deepEqual(await shipSpool(spool, store), [{ ref }])
      assert.deepEqual([...spool.list()], [])
      assert.deepEqual([...verify({ store })].filter(isFinding), [])
    } finally {
      await mounted.end()
    }
  })

  it('makes an executable young again that the archive has already', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const path = join(archive.directory, 'program')
    writeFileSync(path, 'the program')
    const fd = openSync(path, 'r')
    const key = spool.addBinary({ fd, size: 11 })
    archive.store.addBinary({ fd, size: 11 })
    closeSync(fd)
    utimesSync(archive.store.binaryPath(key)!, 0, 0)
    const ref = addDump(spool, { manifest: { executable: { key, path: '/srv/api' } } })
    assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }])
    const { mtimeMs } = statSync(archive.store.binaryPath(key)!)
    assert.ok(Date.now() - mtimeMs < 60_000, new Date(mtimeMs).toISOString())
  })

  it('keeps the executable of a dump that is ended while it looks', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    addDump(spool)
    const key = addBinary(spool, archive.directory, 'the program')
    makeOld(spool, key)
    const ref = addDump(spool, { manifest: { executable: { key, path: '/srv/api' } } })
    const [pending, manifest] = ['pending.json', 'manifest.json'].map(name => spool.layout.file(ref, name))
    renameSync(manifest!, pending!)
    const list = spool.list.bind(spool)
    let looks = 0
    spool.list = function* (options) {
      yield* list(options)
      if (++looks === 2) renameSync(pending!, manifest!)
    }
    await shipSpool(spool, archive.store)
    assert.deepEqual(keysIn(spool), [key])
  })

  it('keeps a young executable that no dump names yet, and drops it in time', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const key = addBinary(spool, archive.directory, 'the program')
    addDump(spool)
    await shipSpool(spool, archive.store)
    assert.deepEqual([...spool.list()], [])
    assert.deepEqual(keysIn(spool), [key])
    makeOld(spool, key)
    await shipSpool(spool, archive.store)
    assert.deepEqual(keysIn(spool), [])
  })

  it('tells of what it can’t read or list, ships the others, and drops no executable', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const key = addBinary(spool, archive.directory, 'the program')
    makeOld(spool, key)
    const executable = { executable: { key, path: '/srv/api' } }
    const broken = addDump(spool, { manifest: executable })
    writeFileSync(spool.layout.file(broken, 'manifest.json'), 'no JSON')
    const lost = addDump(spool, { manifest: executable, time: new Date('2026-01-02') })
    const sound = addDump(spool)
    const day = spool.layout.day(lost.day)
    renameSync(day, `${day}.away`)
    symlinkSync(day, day)
    const told: string[] = []
    const options = {
      onBroken: ({ id }: DumpRef) => void told.push(id),
      onUnlisted: (directory: string) => void told.push(directory),
    }
    assert.deepEqual(await shipSpool(spool, archive.store, options), [{ ref: sound }])
    assert.deepEqual(told.sort(), [broken.id, day].sort())
    assert.deepEqual(keysIn(spool), [key])
    rmSync(day)
    assert.deepEqual(await shipSpool(spool, archive.store, options), [])
    assert.deepEqual(keysIn(spool), [key], 'of a manifest that can’t be read')
  })

  it('removes a directory that a handler left empty, in time', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    const key = addBinary(spool, archive.directory, 'the program')
    makeOld(spool, key)
    const empty = spool.layout.dump({ id: 'aaaaaaaaaaaa', day: '2026/01/02' })
    mkdirSync(empty, { recursive: true })
    await shipSpool(spool, archive.store)
    assert.deepEqual([existsSync(empty), keysIn(spool)], [true, [key]])
    utimesSync(empty, 0, 0)
    await shipSpool(spool, archive.store)
    assert.deepEqual([existsSync(empty), keysIn(spool)], [false, []])
  })

  it('keeps to its rate', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    for (let n = 0; n < 2; n++) addDump(spool, { core: randomBytes(3_000_000) })
    const began = performance.now()
    const shipments = await shipSpool(spool, archive.store, { rate: 2_000_000 })
    assert.deepEqual(
      shipments.map(({ failed }) => failed),
      [undefined, undefined],
    )
    assert.ok(performance.now() - began > 2500, `${performance.now() - began} ms for 6 MB`)
  })

  it('has nothing to do where there is no spool', async () => {
    using archive = testArchive()
    assert.deepEqual(await shipSpool(openLocalStore(join(archive.directory, 'none')), archive.store), [])
  })
})

/** The first to come is the first to go. */
const byOldest =
  (archive: TestArchive) =>
  (a: { ref: { id: string; day: string } }, b: { ref: { id: string; day: string } }): number =>
    archive.store.readManifest(a.ref).time > archive.store.readManifest(b.ref).time ? 1 : -1

describe('Shipping', () => {
  it('tries again after a failure, each time later, and at once after a success', async () => {
    using archive = testArchive()
    const spool = spoolOf(archive)
    addDump(spool)
    const format = join(archive.store.root, 'format.json')
    renameSync(format, `${format}.away`)
    const failures: number[] = []
    let home = 0
    const shipping = new Shipping({
      spool: () => spool,
      archive: archive.store,
      leases: new Leases(archive.store),
      rate: () => null,
      answers: () => Promise.resolve(),
      onHome: () => home++,
      onFailed: () => failures.push(performance.now()),
      onApart: ({ id }) => assert.fail(id),
      onProblem: sentence => assert.fail(sentence),
      pause: { first: 200, most: 800 },
    })
    for (shipping.look(); failures.length < 5; await sleep(20)) shipping.look()
    const pauses = failures.slice(1).map((at, i) => at - failures[i]!)
    for (const [i, least] of [200, 400, 800, 800].entries())
      assert.ok(pauses[i]! >= least - 1 && pauses[i]! < least + 350, `${pauses.map(Math.round)}`)
    renameSync(`${format}.away`, format)
    while (home === 0) await sleep(20)
    addDump(spool)
    const began = performance.now()
    for (shipping.look(); home === 1; await sleep(5));
    assert.ok(performance.now() - began < 190, 'without a pause')
    await shipping.stop()
  })
})
