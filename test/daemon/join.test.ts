import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { type DumpRef, initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { recoverDumps } from '../../src/daemon/recover.ts'
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
