import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type DumpEntry,
  type DumpRef,
  initializeStore,
  type LocalStore,
  type Manifest,
  openLocalStore,
  type StoredCore,
} from '../../src/archive/index.ts'
import { importRest } from '../../src/cli/import-once.ts'
import { begunIds, recoverDumps } from '../../src/daemon/recover.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { addDump, addExecutable, coreOf, type TestArchive, testArchive } from './archive.ts'

const content = coreOf(randomBytes(995_904))
/** The header and four blocks of random bytes, which are stored as they are. */
const at = 7 + 4 * (65536 + 8)

/** A dump that began in the archive and went on in the spool. */
function split({ directory, store }: TestArchive): {
  ref: DumpRef
  spool: LocalStore
  begun: string
  whole: Buffer
} {
  const spool = openLocalStore(join(directory, 'spool'))
  initializeStore(spool)
  const ref = addDump(spool, { core: content })
  const whole = readFileSync(spool.corePath(ref)!)
  const manifest = spool.readManifest(ref)
  const core = { ...manifest.core, continues: { archive: store.root, at } }
  writeFileSync(spool.layout.file(ref, 'manifest.json'), JSON.stringify({ ...manifest, core }))
  writeFileSync(spool.corePath(ref)!, whole.subarray(at))
  const begun = store.layout.file(ref, 'core.lz4.part')
  mkdirSync(dirname(begun), { recursive: true, mode: 0o700 })
  // The call that never returned may have got somewhere.
  writeFileSync(begun, Buffer.concat([whole.subarray(0, at), randomBytes(5000)]))
  writeFileSync(
    store.layout.file(ref, 'pending.json'),
    JSON.stringify({ ...manifest, core: { ...core, continues: undefined } }),
  )
  return { ref, spool, begun, whole }
}

const problems = (store: LocalStore): unknown[] =>
  [...verify({ store })].filter(isFinding).filter(({ severity }) => severity === 'problem')

describe('shipSpool() of a core in two parts', () => {
  it('joins what storage had taken with the rest, to the byte', async () => {
    using archive = testArchive()
    const { ref, spool, begun, whole } = split(archive)
    assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }])
    assert.deepEqual(readFileSync(archive.store.corePath(ref)!), whole)
    const { core } = archive.store.readManifest(ref)
    assert.deepEqual([core.state, core.raw_size, core.continues], ['complete', content.length, undefined])
    assert.deepEqual(
      [existsSync(begun), existsSync(archive.store.layout.file(ref, 'pending.json'))],
      [false, false],
    )
    assert.deepEqual([...spool.list()], [])
    assert.deepEqual(problems(archive.store), [])
  })

  const damages: [what: string, damage: (begun: string) => void, lost: number][] = [
    ['is shorter than storage had said', begun => truncateSync(begun, at - 70_000), 2 * 65536],
    ['is damaged', begun => writeFileSync(begun, randomBytes(100), { flag: 'r+' }), 0],
    ['is gone', begun => rmSync(begun), 4 * 65536],
  ]
  for (const [what, damage, lost] of damages)
    it(`says how much is lost where the beginning ${what}, and keeps the rest`, async () => {
      using archive = testArchive()
      const { ref, spool, begun } = split(archive)
      damage(begun)
      await shipSpool(spool, archive.store)
      const { core } = archive.store.readManifest(ref)
      assert.equal(core.state, 'truncated')
      if (lost > 0) assert.match(core.detail!, new RegExp(`${lost} of ${content.length} bytes .* are lost`))
      if (lost === 0) return
      using source = openCoreFile(archive.store.corePath(ref)!, { tolerant: true })
      const got = Buffer.from(source.read(0, source.size))
      assert.ok(got.subarray(4 * 65536).equals(content.subarray(4 * 65536)))
    })

  it('takes the place of what could be recovered of its beginning, listed once', async () => {
    using archive = testArchive()
    const { ref, spool, whole } = split(archive)
    recoverDumps(archive.store, { booted: 0, now: Date.now() + 48 * 3_600_000 })
    assert.equal(archive.store.readManifest(ref).core.state, 'truncated')
    archive.store.writeReport(ref, '{}')
    await shipSpool(spool, archive.store)
    assert.deepEqual(readFileSync(archive.store.corePath(ref)!), whole)
    assert.deepEqual(
      [archive.store.readManifest(ref).core.state, archive.store.readReport(ref)],
      ['complete', undefined],
    )
    assert.equal([...archive.store.list()].length, 1)
  })

  /** Another node's daemon has listed the beginning, and something was done to it since. */
  function listed(archive: TestArchive, change: (manifest: Manifest) => Manifest): ReturnType<typeof split> {
    const dump = split(archive)
    writeFileSync(dump.begun, dump.whole.subarray(0, at))
    recoverDumps(archive.store, { booted: 0, now: Date.now() + 48 * 3_600_000 })
    archive.store.changeManifest(dump.ref, change)
    return dump
  }

  it('keeps the hold and the notes that the archive has of the beginning', async () => {
    using archive = testArchive()
    const hold = { by: 'ada', time: new Date().toISOString(), reason: 'case 7' }
    const { ref, spool, whole } = listed(archive, manifest => ({
      ...{ ...manifest, hold, go_version: 'go1.26.8' },
      notes: [...manifest.notes, 'Seen by ada.'],
    }))
    assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }])
    const { core, notes, ...facts } = archive.store.readManifest(ref)
    assert.deepEqual([facts.hold, facts.go_version, core.state], [hold, 'go1.26.8', 'complete'])
    assert.deepEqual(
      notes.slice(0, -1),
      ['Seen by ada.'],
      'and not that its handler was killed, which it was not',
    )
    assert.throws(() => archive.store.remove(ref), /on hold by ada/)
    assert.deepEqual(readFileSync(archive.store.corePath(ref)!), whole)
  })

  /** The beginning under another name, as encryption or shrinking leave it. */
  const changed = (
    archive: TestArchive,
    file: string,
    own: Partial<StoredCore>,
  ): ReturnType<typeof split> => {
    const dump = listed(archive, manifest => ({ ...manifest, core: { ...manifest.core, file, ...own } }))
    const path = (name: string): string => archive.store.layout.file(dump.ref, name)
    renameSync(path('core.lz4'), path(file))
    return dump
  }
  const time = new Date().toISOString()
  const encrypted = { to: ['age1x'], sha256: 'x', time }
  const shrunk = { raw_size: 1, stored_size: 1, time, reason: 'age', tool: '0' }
  for (const [file, own, why] of [
    ['core.lz4.age', { encrypted }, /has been encrypted/],
    ['core.mini.lz4', { shrunk }, /has been shrunk/],
  ] as const)
    it(`keeps a beginning that is ${file} by now, and the rest where it is, and says so once`, async () => {
      using archive = testArchive()
      const { ref, spool, whole } = changed(archive, file, own)
      const before = readFileSync(archive.store.corePath(ref)!)
      let manifest = ''
      for (let n = 0; n < 2; n++) {
        const [shipment] = await shipSpool(spool, archive.store)
        assert.equal(shipment?.failed, undefined)
        assert.match(shipment?.apart ?? '', why)
        const text = readFileSync(archive.store.layout.file(ref, 'manifest.json'), 'utf8')
        if (n > 0) assert.equal(text, manifest)
        manifest = text
      }
      const { core, notes } = archive.store.readManifest(ref)
      assert.deepEqual([core.file, core.state], [file, 'truncated'])
      assert.match(notes.at(-1)!, new RegExp(`${whole.length - at} bytes of the file, stays in .*spool of `))
      assert.ok(readFileSync(archive.store.corePath(ref)!).equals(before))
      assert.ok(readFileSync(spool.corePath(ref)!).equals(whole.subarray(at)))
    })

  it('ships what the spool has all of, though the beginning was encrypted', async () => {
    using archive = testArchive()
    const { ref, spool, whole } = changed(archive, 'core.lz4.age', { encrypted })
    writeFileSync(spool.corePath(ref)!, whole)
    spool.changeManifest(ref, ({ core, ...facts }) => ({
      ...facts,
      core: { ...core, continues: { archive: archive.store.root, at: 0 } },
    }))
    assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }])
    const { core } = archive.store.readManifest(ref)
    assert.deepEqual([core.file, core.state, core.encrypted], ['core.lz4', 'complete', undefined])
    assert.deepEqual(readFileSync(archive.store.corePath(ref)!), whole)
  })

  /** A handler that failed in the archive before the first byte, and stored all of the core in the spool. */
  function apart(archive: TestArchive): { ref: DumpRef; spool: LocalStore; whole: Buffer } {
    const { ref, spool, begun, whole } = split(archive)
    rmSync(begun)
    writeFileSync(spool.layout.file(ref, 'core.lz4'), whole)
    spool.changeManifest(ref, ({ core: { continues: _, ...core }, ...facts }) => ({ ...facts, core }))
    return { ref, spool, whole }
  }
  const listAll = (store: LocalStore): unknown =>
    recoverDumps(store, { booted: 0, now: Date.now() + 48 * 3_600_000 })

  for (const pending of ['as it was', 'damaged'])
    it(`ships a core of which the archive has listed the facts alone, ${pending}`, async () => {
      using archive = testArchive()
      const { store } = archive
      const { ref, spool, whole } = apart(archive)
      const { executable, process } = spool.readManifest(ref)
      if (pending === 'damaged') writeFileSync(store.layout.file(ref, 'pending.json'), '')
      if (pending === 'damaged') recoverDumps(store, { booted: Date.now() + 2 * minute })
      else listAll(store)
      assert.equal(store.readManifest(ref).core.state, 'none')
      assert.deepEqual(await shipSpool(spool, store), [{ ref }])
      assert.deepEqual(readFileSync(store.corePath(ref)!), whole)
      const manifest = store.readManifest(ref)
      assert.deepEqual(
        [manifest.core.state, manifest.core.reason, manifest.process, manifest.executable],
        ['complete', undefined, process, executable],
      )
      assert.deepEqual([...spool.list()], [])
      assert.deepEqual(problems(store), [])
    })

  it('gives up a core of the spool of which the archive has as much, under whatever name', async () => {
    const size = { raw_size: content.length, stored_size: content.length }
    for (const own of [
      {},
      { file: 'core.lz4.age', encrypted, stored_size: 5 },
      { file: 'core.mini.lz4', raw_size: 5, stored_size: 5, shrunk: { ...shrunk, ...size } },
    ]) {
      using archive = testArchive()
      const { ref, spool } = apart(archive)
      addDump(archive.store, { id: ref.id, core: content })
      archive.store.changeManifest(ref, manifest => ({
        ...manifest,
        core: { ...manifest.core, reason: 'handler-error', ...own },
      }))
      const before = readFileSync(archive.store.layout.file(ref, 'manifest.json'), 'utf8')
      assert.deepEqual(await shipSpool(spool, archive.store), [{ ref }])
      assert.equal(readFileSync(archive.store.layout.file(ref, 'manifest.json'), 'utf8'), before)
      assert.deepEqual([...spool.list()], [])
    }
  })

  /** The spool failed as well, and the handler says of the whole core that there is none. */
  function givenUp(archive: TestArchive): ReturnType<typeof split> {
    const dump = split(archive)
    rmSync(dump.spool.layout.file(dump.ref, 'core.lz4'))
    dump.spool.changeManifest(dump.ref, ({ core: { file: _, ...core }, ...facts }) => ({
      ...facts,
      core: {
        ...{ ...core, state: 'none', reason: 'storage-error', raw_size: 0, stored_size: 0 },
        detail: 'The core could not be written: EIO',
      },
    }))
    return dump
  }

  it('keeps the beginning that the archive has of a core which the handler gave up', async () => {
    using archive = testArchive()
    const { store } = archive
    const { ref, spool } = givenUp(archive)
    assert.deepEqual(await shipSpool(spool, store), [{ ref }])
    const { core } = store.readManifest(ref)
    assert.deepEqual(
      [core.state, core.reason, core.raw_size, core.expected_size, core.continues],
      ['truncated', 'storage-error', 4 * 65536, content.length, undefined],
    )
    using source = openCoreFile(store.corePath(ref)!)
    assert.ok(Buffer.from(source.read(0, source.size)).equals(content.subarray(0, 4 * 65536)))
    assert.deepEqual([problems(store), [...spool.list()]], [[], []])
  })

  it('calls it complete where the archive has every block of it, said to be taken or not', async () => {
    using archive = testArchive()
    const { ref, spool, begun, whole } = givenUp(archive)
    writeFileSync(begun, whole)
    await shipSpool(spool, archive.store)
    const { core } = archive.store.readManifest(ref)
    assert.deepEqual(
      [core.state, core.raw_size, core.reason, core.detail],
      ['complete', content.length, undefined, undefined],
    )
    assert.ok(readFileSync(archive.store.corePath(ref)!).equals(whole))
  })

  it('keeps a beginning, and the hold on it, that another node has listed, encrypted or not', async () => {
    for (const file of ['core.lz4', 'core.lz4.age']) {
      using archive = testArchive()
      const { store } = archive
      const { ref, spool, begun, whole } = givenUp(archive)
      writeFileSync(begun, whole.subarray(0, at))
      listAll(store)
      const hold = { by: 'ada', time: new Date().toISOString() }
      store.changeManifest(ref, facts => ({ ...facts, hold, core: { ...facts.core, file } }))
      renameSync(store.layout.file(ref, 'core.lz4'), store.layout.file(ref, file))
      const before = readFileSync(store.corePath(ref)!)
      assert.deepEqual(await shipSpool(spool, store), [{ ref }])
      const manifest = store.readManifest(ref)
      assert.deepEqual(
        [manifest.core.state, manifest.core.file, manifest.core.raw_size, manifest.hold, manifest.held_ms],
        ['truncated', file, 4 * 65536, hold, 12.5],
      )
      assert.deepEqual(
        [manifest.core.reason, manifest.core.detail],
        ['storage-error', 'The core could not be written: EIO'],
      )
      assert.ok(readFileSync(store.corePath(ref)!).equals(before))
      assert.deepEqual([...spool.list()], [])
    }
  })

  it('leaves a core at none of which the archive has kept no byte either', async () => {
    using archive = testArchive()
    const { ref, spool, begun } = givenUp(archive)
    writeFileSync(begun, '')
    await shipSpool(spool, archive.store)
    const { core } = archive.store.readManifest(ref)
    assert.deepEqual([core.state, core.detail], ['none', 'The core could not be written: EIO'])
    assert.deepEqual([core.continues, archive.store.corePath(ref)], [undefined, undefined])
  })

  /** The archive hung when it had every byte, and was down for so long that another node has listed the dump. */
  function listedWhole(archive: TestArchive, by: 'ship' | 'join'): { ref: DumpRef; spool: LocalStore } {
    const { ref, spool, begun, whole } = split(archive)
    writeFileSync(begun, whole)
    listAll(archive.store)
    assert.deepEqual(archive.store.readManifest(ref).core.state, 'complete')
    archive.store.writeReport(ref, '{}')
    writeFileSync(spool.corePath(ref)!, '')
    const executable = addExecutable(spool)
    spool.changeManifest(ref, ({ core, ...facts }) => ({
      ...{ ...facts, ...executable, held_ms: 210, notes: [`Taken while the archive hung, for ${by}.`] },
      core: { ...core, continues: { archive: archive.store.root, at: whole.length } },
    }))
    return { ref, spool }
  }

  for (const by of ['ship', 'join'] as const)
    it(`adds executable and final facts to a core that another node has recovered whole, by ${by}`, async () => {
      using archive = testArchive()
      const { store } = archive
      const { ref, spool } = listedWhole(archive, by)
      const hold = { by: 'ada', time: new Date().toISOString() }
      const { core } = store.changeManifest(ref, facts => ({ ...facts, hold }))
      const before = statSync(store.corePath(ref)!)
      if (by === 'ship') assert.deepEqual(await shipSpool(spool, store), [{ ref }])
      else assert.equal((await importRest(store, spool, [...spool.list()][0]!)).isNew, true)
      const manifest = store.readManifest(ref)
      assert.deepEqual([manifest.core, manifest.held_ms, manifest.hold], [core, 210, hold])
      assert.equal(readFileSync(store.binaryPath(manifest.executable!.key!)!, 'utf8'), 'the program')
      assert.match(manifest.notes.join('\n'), /^Taken while the archive hung, for .*\.\nStored on .*\.$/)
      assert.deepEqual(
        [store.readReport(ref), statSync(store.corePath(ref)!).ino],
        [undefined, before.ino],
        'analysed anew, and not copied',
      )
      assert.deepEqual(problems(store), [])
      if (by === 'ship') assert.deepEqual([...spool.list()], [])
      else assert.equal((await importRest(store, spool, [...spool.list()][0]!)).isNew, false)
    })

  it('does not let the archive recover what the spool has more of', () => {
    using archive = testArchive()
    const { ref } = split(archive)
    const options = { booted: 0, now: Date.now() + 48 * 3_600_000 }
    assert.deepEqual(recoverDumps(archive.store, { ...options, leave: new Set([ref.id]) }), [])
  })
})

const minute = 60_000

/** A power cut behind the handler's move to the spool, of whose `pending.json` there is the name alone. */
function cutPower(archive: TestArchive, rest: (whole: Buffer) => Buffer): ReturnType<typeof split> {
  const dump = split(archive)
  const { ref, spool, begun, whole } = dump
  const { layout } = archive.store
  const pending = archive.store.layout.file(ref, 'pending.json')
  const host = {
    name: hostname(),
    boot_id: '00000000-0000-0000-0000-000000000000',
    machine_id: readFileSync('/etc/machine-id', 'utf8').trim(),
  }
  writeFileSync(pending, JSON.stringify({ ...JSON.parse(readFileSync(pending, 'utf8')), host }))
  writeFileSync(begun, whole.subarray(0, at))
  rmSync(spool.layout.file(ref, 'manifest.json'))
  writeFileSync(spool.layout.file(ref, 'pending.json'), '')
  renameSync(spool.layout.file(ref, 'core.lz4'), spool.layout.file(ref, 'core.lz4.part'))
  writeFileSync(spool.layout.file(ref, 'core.lz4.part'), rest(whole))
  assert.ok(existsSync(layout.file(ref, 'core.lz4.part')))
  return dump
}

/** What a scan does, in its order. */
async function scan(archive: TestArchive, spool: LocalStore, booted: number): ReturnType<typeof shipSpool> {
  recoverDumps(spool, { booted })
  const shipments = await shipSpool(spool, archive.store)
  recoverDumps(archive.store, { leave: begunIds(spool), booted })
  return shipments
}

describe('shipSpool() of what a power cut has left of the rest of a core', () => {
  it('keeps the facts and the beginning that the archive has, and the rest where it is, and says so', async () => {
    using archive = testArchive()
    const { ref, spool, whole } = cutPower(archive, all => all.subarray(at, at + 200_000))
    const booted = Date.now() + 2 * minute
    assert.deepEqual(await scan(archive, spool, booted), [], 'the archive is to list its own first')
    const why = 'a power cut has damaged what it says of where its bytes belong'
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(await scan(archive, spool, booted), [{ ref, apart: why }])
      const { host, process, core, notes } = archive.store.readManifest(ref)
      assert.deepEqual([host.name, process.pid, core.state], [hostname(), 4121, 'truncated'])
      assert.equal(core.raw_size, 4 * 65536)
      assert.match(notes.at(-1)!, /^More of its core, 200000 bytes of the file, stays in .*spool of /)
      assert.equal(notes.length, 2)
    }
    assert.deepEqual(readFileSync(spool.corePath(ref)!), whole.subarray(at, at + 200_000))
    using source = openCoreFile(archive.store.corePath(ref)!)
    assert.ok(Buffer.from(source.read(0, source.size)).equals(content.subarray(0, 4 * 65536)))
    assert.deepEqual(problems(archive.store), [])
  })

  it('keeps the rest, too, where the machine is back so soon that its handler might live', async () => {
    using archive = testArchive()
    const { ref, spool, whole } = cutPower(archive, all => all.subarray(at, at + 200_000))
    for (let n = 0; n < 3; n++) assert.deepEqual(await scan(archive, spool, Date.now() + minute / 6), [])
    assert.equal(statSync(spool.layout.file(ref, 'core.lz4.part')).size, 200_000)
    assert.deepEqual(
      await scan(archive, spool, Date.now() + 2 * minute),
      [],
      'the archive is to list its own',
    )
    assert.equal(archive.store.readManifest(ref).host.name, hostname())
    assert.equal((await scan(archive, spool, Date.now() + 2 * minute))[0]?.apart?.slice(0, 11), 'a power cut')
    assert.deepEqual(readFileSync(spool.corePath(ref)!), whole.subarray(at, at + 200_000))
  })

  it('puts a core that the spool has from its first byte on below the facts that the archive has', async () => {
    using archive = testArchive()
    const { ref, spool } = cutPower(archive, all => all.subarray(0, at + 200_000))
    const booted = Date.now() + 2 * minute
    await scan(archive, spool, booted)
    assert.deepEqual(await scan(archive, spool, booted), [{ ref }])
    const { host, core } = archive.store.readManifest(ref)
    assert.deepEqual([host.name, core.state, core.raw_size], [hostname(), 'truncated', 7 * 65536])
    assert.deepEqual([...begunIds(spool)], [])
    assert.deepEqual(problems(archive.store), [])
  })

  it('ships what it holds of a crash of which the archive knows nothing', async () => {
    using archive = testArchive()
    const { ref, spool } = cutPower(archive, all => all.subarray(at, at + 200_000))
    rmSync(archive.store.layout.dump(ref), { recursive: true })
    assert.deepEqual(await scan(archive, spool, Date.now() + 2 * minute), [{ ref }])
    assert.equal(archive.store.readManifest(ref).core.state, 'truncated')
    assert.deepEqual([...spool.list()], [])
    assert.deepEqual(problems(archive.store), [])
  })
})

describe('import of the spool of a node that is no more', () => {
  const entryOf = (spool: LocalStore): DumpEntry => [...spool.list()][0]!
  const files = (store: LocalStore, ref: DumpRef): string[] => readdirSync(store.layout.dump(ref)).sort()

  it('joins the rest of a core with its beginning, once, and leaves the spool as it is', async () => {
    for (const isListed of [false, true]) {
      using archive = testArchive()
      const { ref, spool, whole } = split(archive)
      if (isListed) recoverDumps(archive.store, { booted: 0, now: Date.now() + 48 * 3_600_000 })
      const before = files(spool, ref)
      assert.deepEqual(await importRest(archive.store, spool, entryOf(spool)), { ref, isNew: true })
      assert.deepEqual(readFileSync(archive.store.corePath(ref)!), whole)
      const { core, imported_from } = archive.store.readManifest(ref)
      assert.deepEqual([core.state, core.continues, imported_from], ['complete', undefined, spool.root])
      assert.deepEqual(files(archive.store, ref), ['core.lz4', 'manifest.json'])
      assert.deepEqual(files(spool, ref), before)
      assert.equal((await importRest(archive.store, spool, entryOf(spool))).isNew, false)
      assert.deepEqual(problems(archive.store), [])
    }
  })

  it('takes its pin over, and keeps the one that the archive has', async () => {
    const [own, other] = ['ada', 'eve'].map(by => ({ by, time: '2026-11-20T10:00:00.000Z' }))
    for (const isPinned of [false, true]) {
      using archive = testArchive()
      const { ref, spool } = split(archive)
      spool.pin(ref, other!)
      recoverDumps(archive.store, { booted: 0, now: Date.now() + 48 * 3_600_000 })
      if (isPinned) archive.store.pin(ref, own!)
      await importRest(archive.store, spool, entryOf(spool))
      assert.deepEqual([...archive.store.readPins()], [[ref.id, isPinned ? own : other]])
    }
  })

  it('says how much is lost where the archive has no beginning, and keeps the rest', async () => {
    using archive = testArchive()
    const { ref, spool } = split(archive)
    rmSync(archive.store.layout.dump(ref), { recursive: true })
    assert.equal((await importRest(archive.store, spool, entryOf(spool))).isNew, true)
    const { core } = archive.store.readManifest(ref)
    assert.deepEqual([core.state, core.continues], ['truncated', undefined])
    assert.match(core.detail!, new RegExp(`${4 * 65536} of ${content.length} bytes .* are lost`))
    using source = openCoreFile(archive.store.corePath(ref)!, { tolerant: true })
    const got = Buffer.from(source.read(0, source.size))
    assert.ok(got.subarray(4 * 65536).equals(content.subarray(4 * 65536)))
    assert.equal((await importRest(archive.store, spool, entryOf(spool))).isNew, false)
    assert.equal(readFileSync(archive.store.corePath(ref)!).length, core.stored_size)
  })

  it('does not believe what it says where the archive knows another crash, or has not the room', async () => {
    using archive = testArchive()
    const { ref, spool, begun } = split(archive)
    const change = (own: Partial<Manifest>): unknown => spool.changeManifest(ref, all => ({ ...all, ...own }))
    const { process, core } = spool.readManifest(ref)
    const continuing = (at: number): unknown =>
      change({ core: { ...core, continues: { archive: '/srv/archive', at } } })
    const before = readFileSync(begun)
    const refused = (why: RegExp): Promise<void> =>
      assert.rejects(importRest(archive.store, spool, entryOf(spool)), why)
    change({ process: { ...process, pid: 1 } })
    await refused(/a dump of this id, of another crash/)
    change({ process })
    continuing(Number.MAX_SAFE_INTEGER)
    await refused(/bytes are to come before it, which the archive does not have/)
    continuing(-1)
    await refused(/can't go on at byte -1/)
    assert.ok(readFileSync(begun).equals(before))
    assert.deepEqual([...archive.store.list()], [])
  })
})
