import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { type DumpRef, initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { begunIds, recoverDumps } from '../../src/daemon/recover.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { addDump, type TestArchive, testArchive } from './archive.ts'

const content = randomBytes(1_000_000)
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
    name: 'node-3',
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
      assert.deepEqual([host.name, process.pid, core.state], ['node-3', 4121, 'truncated'])
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
    assert.equal(archive.store.readManifest(ref).host.name, 'node-3')
    assert.equal(statSync(spool.layout.file(ref, 'core.lz4.part')).size, 200_000)
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
    assert.deepEqual([host.name, core.state, core.raw_size], ['node-3', 'truncated', 7 * 65536])
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
