import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DumpRef } from '../../src/archive/index.ts'
import { type Catalog, openCatalog } from '../../src/catalog/index.ts'
import { syncCatalog } from '../../src/daemon/sync.ts'
import { isFinding, type VerifyOptions, verify } from '../../src/daemon/verify.ts'
import { packLz4 } from '../support/lz4-file.ts'
import { addDump, asNobody, makeUnlistable, report, testArchive } from './archive.ts'

const findings = (options: VerifyOptions): string[] =>
  [...verify(options)].filter(isFinding).map(({ severity, where, what }) => `${severity} ${where}: ${what}`)

const core = randomBytes(200_000)

describe('verify()', () => {
  it('finds nothing in a sound archive, and reads all of it', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const ref = addDump(store, { core })
    addDump(store, { core: null })
    store.writeReport(ref, JSON.stringify(report()))
    store.pin(ref, { time: 'now' })
    await syncCatalog(store, catalog)
    assert.deepEqual(findings({ store, catalog }), [])
    const progress = [...verify({ store })].filter(step => !isFinding(step))
    assert.ok(progress.every(step => 'of' in step && step.of === core.length && step.done <= step.of))
  })

  it('names a dump whose numbers the catalog can’t hold', () => {
    using archive = testArchive()
    const process = { pid: 4121.5, uid: 33, gid: 33, comm: 'api' }
    const { id } = addDump(archive.store, { manifest: { process } })
    const [found] = findings({ store: archive.store })
    assert.match(
      found!,
      new RegExp(`^problem ${id}: its manifest can't be read: .*process.pid is not a whole number`),
    )
  })

  it('goes on where a dump is removed while it is at work, which is no damage', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const refs = [1, 2, 3].map(n => addDump(store, { core, time: new Date(Date.now() - n * 1000) }))
    await syncCatalog(store, catalog)
    const found: string[] = []
    const seen = new Set<string>()
    for (const step of verify({ store, catalog })) {
      if (isFinding(step)) found.push(step.what)
      else if (!seen.has(step.id)) {
        seen.add(step.id)
        // The next one has not begun; of the last one there was its manifest already.
        const doomed = seen.size === 1 ? refs[1] : seen.size === 3 ? refs[2] : undefined
        if (doomed !== undefined) {
          store.remove(doomed)
          catalog.remove(doomed.id)
        }
      }
    }
    assert.deepEqual(found, [])
    assert.equal(seen.size, 3)
  })

  it('looks again at a dump that is shrunk or damaged while it is at work', async t => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store, { core })
    // The clock of files has ticks, and this takes less than one.
    utimesSync(store.layout.file(ref, 'manifest.json'), 1, 1)
    const small = packLz4(Buffer.from('mini'), 65536)
    const path = store.corePath.bind(store)
    t.mock.method(
      store,
      'corePath',
      (dump: DumpRef) => {
        writeFileSync(store.layout.file(ref, 'core.mini.lz4'), small)
        store.changeManifest(ref, ({ core, ...rest }) => ({
          ...rest,
          core: { ...core, file: 'core.mini.lz4', raw_size: 4, stored_size: small.length },
        }))
        rmSync(store.layout.file(ref, 'core.lz4'))
        return path(dump)
      },
      { times: 1 },
    )
    assert.deepEqual(findings({ store }), [])

    const catalog = openCatalog(':memory:')
    await syncCatalog(store, catalog)
    t.mock.method(catalog, 'check', () => {
      writeFileSync(store.layout.file(ref, 'manifest.json'), 'damage')
      return []
    })
    assert.deepEqual(findings({ store, catalog }), [])
  })

  it('names a day that can’t be listed, and looks at the others', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const [hidden, bad] = ['20', '21'].map(day =>
      addDump(store, { time: new Date(`2026-11-${day}T10:00:00Z`) }),
    )
    await syncCatalog(store, catalog)
    rmSync(store.corePath(bad!)!)
    makeUnlistable(store.layout.day(hidden!.day))
    store.pin(bad!, { time: 'now' })
    await syncCatalog(store, catalog)
    assert.deepEqual(findings({ store, catalog }), [
      `problem dumps/${hidden!.day}: it can't be listed: ELOOP`,
      `problem ${bad!.id}: its core (complete) is gone`,
    ])
  })

  it('names an executable that may not be read', () => {
    using archive = testArchive()
    const { store, directory } = archive
    writeFileSync(join(directory, 'program'), 'the program')
    const fd = openSync(join(directory, 'program'), 'r')
    const key = store.addBinary({ fd, size: 11 })
    closeSync(fd)
    for (let n = 0; n < 2; n++)
      addDump(store, { core: null, manifest: { executable: { key, path: '/srv/api' } } })
    for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
      chmodSync(join(directory, path), 0o755)
    chmodSync(directory, 0o755)
    chmodSync(store.binaryPath(key)!, 0)
    const found = asNobody(() => findings({ store }))
    assert.equal(found.length, 2)
    for (const text of found)
      assert.match(text, /\/srv\/api was stored as binaries\/.*, which can't be read: EACCES/)
  })

  it('names a damaged block, and a cut file', () => {
    using archive = testArchive()
    const { store } = archive
    const [flipped, cut] = [addDump(store, { core }), addDump(store, { core })]
    const path = store.corePath(flipped)!
    const bytes = readFileSync(path)
    bytes[90_000]! ^= 1
    writeFileSync(path, bytes)
    writeFileSync(store.corePath(cut)!, bytes.subarray(0, 70_000))
    const found = findings({ store })
    assert.ok(
      found.some(
        text => text.startsWith(`problem ${flipped.id}: its core is damaged`) && /checksum/.test(text),
      ),
    )
    assert.ok(
      found.some(text =>
        text.startsWith(`problem ${cut.id}: its core has 70000 bytes where the manifest says`),
      ),
    )
    assert.equal(
      findings({ store, only: [cut] }).every(text => text.includes(cut.id)),
      true,
    )
  })

  it('names each flipped bit, also in the headers that lz4 reads by, and gocore-sink does not', () => {
    using archive = testArchive()
    const { store } = archive
    const ref = addDump(store, { core: core.subarray(0, 2000) })
    const path = store.corePath(ref)!
    const sound = readFileSync(path)
    const unseen: number[] = []
    let headers = 0
    for (let at = 0; at < sound.length; at++) {
      // Random bytes are stored as they are.
      if (at > 20 && at < 1990) continue
      const rotten = Buffer.from(sound)
      rotten[at]! ^= 1 << (at % 8)
      writeFileSync(path, rotten)
      const found = findings({ store })
      if (found.length === 0) unseen.push(at)
      const [first] = found
      if (!first?.includes('the LZ4 headers of its core are damaged')) continue
      headers++
      assert.equal(found.length, 1, `byte ${at}: ${found.join('; ')}`)
      // It does not mind a frame to be skipped that is longer than the file.
      if (!/they lead to byte/.test(first))
        assert.notEqual(spawnSync('lz4', ['-t', path]).status, 0, `byte ${at}: ${first}`)
    }
    assert.deepEqual(unseen, [])
    assert.ok(headers > 15, `${headers} bytes of headers`)
  })

  it('names what is gone, unreadable or nobody’s', () => {
    using archive = testArchive()
    const { store } = archive
    const [gone, bad, reported, cut] = [addDump(store), addDump(store), addDump(store), addDump(store)]
    const executable = { key: `${'ab'.repeat(20)}`, path: '/srv/api' }
    const binless = addDump(store, { manifest: { executable } })
    rmSync(store.corePath(gone)!)
    writeFileSync(store.layout.file(bad, 'manifest.json'), '{}')
    writeFileSync(store.layout.file(reported, 'report.json'), '{}')
    rmSync(store.layout.file(cut, 'manifest.json'))
    mkdirSync(join(store.root, 'tmp'), { recursive: true })
    writeFileSync(join(store.root, 'tmp', 'half'), 'xx')
    mkdirSync(join(store.root, 'pins'), { recursive: true })
    writeFileSync(join(store.root, 'pins', 'aaaaaaaaaaaa.json'), '{}')
    const found = findings({ store })
    const expected = [
      `problem ${gone.id}: its core (complete) is gone`,
      `problem ${bad.id}: its manifest can't be read: `,
      `problem ${reported.id}: its report can't be read and wants another analysis: `,
      `problem ${binless.id}: /srv/api was stored as binaries/${executable.key}, which is gone`,
      `note ${join('dumps', cut.day, cut.id)}: a dump without a manifest`,
      'note tmp/half: a write that never ended, 2 bytes',
      'note aaaaaaaaaaaa: it is pinned, and there is no such dump',
    ]
    for (const text of expected)
      assert.ok(
        found.some(line => line.startsWith(text)),
        `${text}\nin\n${found.join('\n')}`,
      )
    assert.equal(found.length, expected.length)
  })

  it('compares the catalog with the archive', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog: Catalog = openCatalog(':memory:')
    const [one] = [addDump(store), addDump(store)]
    await syncCatalog(store, catalog)
    addDump(store)
    const row = catalog.get(one.id)!
    catalog.put({ ...row, comm: 'wrong' })
    catalog.put({ ...row, id: 'zzzzzzzzzzzz' })
    assert.deepEqual(findings({ store, catalog }), [
      'note catalog: it does not know 1 of 3 dumps yet',
      'note catalog: it differs from the archive in 1 rows; gocore-sink reindex cures that',
      'note catalog: it lists 1 dumps that the archive does not have',
    ])
  })
})
