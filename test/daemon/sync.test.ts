import assert from 'node:assert/strict'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import Sqlite from 'better-sqlite3'
import type { DumpRef } from '../../src/archive/index.ts'
import { type Catalog, openCatalog } from '../../src/catalog/index.ts'
import { writeAnalysisRecord } from '../../src/daemon/analysis-record.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { recoverDumps } from '../../src/daemon/recover.ts'
import { Rotation } from '../../src/daemon/rotation.ts'
import { reindex, syncCatalog, syncDump } from '../../src/daemon/sync.ts'
import { addDump, makeUnlistable, report, testArchive } from './archive.ts'

const idsOf = (catalog: Catalog): string[] => catalog.list({}).map(({ id }) => id)

describe('syncCatalog()', () => {
  it('lists what is new, forgets what is gone, and does nothing twice', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const one = addDump(archive.store, { time: new Date('2026-11-20T10:00:00Z') })
    const two = addDump(archive.store, { time: new Date('2026-11-22T10:00:00Z') })
    assert.deepEqual(await syncCatalog(archive.store, catalog), {
      added: 2,
      changed: 0,
      removed: 0,
      broken: [],
    })
    assert.deepEqual(idsOf(catalog), [two.id, one.id])
    assert.deepEqual(await syncCatalog(archive.store, catalog), {
      added: 0,
      changed: 0,
      removed: 0,
      broken: [],
    })
    archive.store.remove(one)
    assert.deepEqual(await syncCatalog(archive.store, catalog), {
      added: 0,
      changed: 0,
      removed: 1,
      broken: [],
    })
    assert.deepEqual(idsOf(catalog), [two.id])
  })

  it('keeps the rows of a day that can’t be listed, and goes on to the others', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const [gone, hidden] = ['20', '21'].map(day =>
      addDump(store, { time: new Date(`2026-11-${day}T10:00:00Z`) }),
    )
    await syncCatalog(store, catalog)
    store.remove(gone!)
    const young = addDump(store, { time: new Date('2026-11-19T10:00:00Z') })
    makeUnlistable(store.layout.day(hidden!.day))
    const told: string[] = []
    const onUnlisted = (directory: string): void => void told.push(directory)
    const { added, removed, broken } = await syncCatalog(store, catalog, { onUnlisted })
    assert.deepEqual([added, removed, broken], [1, 1, []])
    assert.deepEqual(told, [store.layout.day(hidden!.day)])
    assert.deepEqual(idsOf(catalog), [hidden!.id, young.id])
    assert.equal((await reindex(store, catalog)).removed, 0)
  })

  it('names a dump that can’t be looked at, and keeps its row', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const [one, two] = [addDump(store), addDump(store)]
    for (const ref of [one, two]) store.writeReport(ref, JSON.stringify(report()))
    await syncCatalog(store, catalog)
    makeUnlistable(store.layout.dump(one))
    store.changeManifest(two, manifest => ({ ...manifest, notes: ['changed'] }))
    const { changed, broken } = await syncCatalog(store, catalog)
    assert.deepEqual([changed, broken], [0, [{ ref: one, reason: 'ELOOP' }]])
    assert.equal(idsOf(catalog).length, 2)
  })

  it('lists what lies beside a dump whose numbers the catalog can’t hold', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const time = new Date('2026-11-20T10:00:00Z')
    const sound = [addDump(store, { time }), addDump(store, { time: new Date(Number(time) - 86_400_000) })]
    const odd = addDump(store, { time })
    for (const change of [
      { process: { pid: 4121.5, uid: 33, gid: 33, comm: 'api' } },
      { core: { state: 'none' as const, raw_size: 0, stored_size: 0, expected_size: 1.8e19 } },
    ]) {
      addDump(store, { time, id: odd.id, manifest: change })
      const { broken } = await reindex(store, catalog)
      assert.deepEqual(
        broken.map(({ ref }) => ref.id),
        [odd.id],
      )
      assert.match(broken[0]!.reason, /(process\.pid|core\.expected_size) is not a whole number/)
      assert.deepEqual(
        idsOf(catalog),
        sound.map(({ id }) => id),
      )
    }
    const written = { pid: 4121, uid: 4294967295, gid: 4294967295, comm: 'api' }
    addDump(store, { time, id: odd.id, manifest: { process: written, held_ms: 0.1, monotonic_ns: 2 ** 60 } })
    assert.deepEqual((await syncCatalog(store, catalog)).broken, [])
    store.writeReport(odd, JSON.stringify({ ...report(), goroutineCount: 1.5 }))
    assert.deepEqual((await reindex(store, catalog)).broken, [])
    assert.equal(catalog.get(odd.id)!.analysis, 'pending')
  })

  it('lists what lies beside a dump that the catalog refuses', async () => {
    using archive = testArchive()
    const { store } = archive
    const path = join(store.root, 'catalog.db')
    const catalog = openCatalog(path)
    const [one, odd] = [addDump(store), addDump(store)]
    await syncCatalog(store, catalog)
    const two = addDump(store)
    const db = new Sqlite(path)
    for (const when of ['INSERT', 'UPDATE'])
      db.exec(`CREATE TRIGGER odd_${when} BEFORE ${when} ON crash WHEN new.id = '${odd!.id}'
        BEGIN SELECT RAISE(ABORT, 'it is odd'); END`)
    db.close()
    const { added, removed, broken } = await reindex(store, catalog)
    assert.deepEqual([added, removed, broken.length], [1, 1, 1])
    assert.match(broken[0]!.reason, /the catalog does not take it: it is odd/)
    assert.deepEqual(idsOf(catalog).sort(), [one!.id, two.id].sort())
    assert.throws(() => syncDump(store, catalog, odd!), /the catalog does not take it/)
    catalog.close()
  })

  it('takes an archive that is away for no gap in it', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    for (const day of ['20', '21']) addDump(store, { time: new Date(`2026-11-${day}T10:00:00Z`) })
    await syncCatalog(store, catalog)
    const rows = catalog.list({})
    rmSync(store.root, { recursive: true })
    symlinkSync(store.root, store.root)
    await assert.rejects(syncCatalog(store, catalog), /ELOOP/)
    assert.throws(() => recoverDumps(store), /ELOOP/)
    await assert.rejects(
      runGc({ store, policy: { maxAge: 1, maxSize: null, keepFree: null }, catalog }),
      /ELOOP/,
    )
    assert.deepEqual(catalog.list({}), rows)
  })

  it('sees reports and pins that another process wrote', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const ref = addDump(archive.store)
    await syncCatalog(archive.store, catalog)
    assert.equal(catalog.get(ref.id)!.analysis, 'pending')
    archive.store.writeReport(ref, JSON.stringify(report()))
    archive.store.pin(ref, { time: new Date().toISOString() })
    assert.equal((await syncCatalog(archive.store, catalog)).changed, 1)
    assert.equal(catalog.get(ref.id)!.analysis, 'done')
    assert.equal(catalog.get(ref.id)!.pinned, true)
    assert.equal(catalog.search('cache.put', {}).length, 1)
    archive.store.unpin(ref)
    await syncCatalog(archive.store, catalog)
    assert.equal(catalog.get(ref.id)!.pinned, false)
  })

  it('sees on one node what another has put on hold, released, shrunk or removed', async () => {
    using archive = testArchive()
    const [here, there] = [openCatalog(':memory:'), openCatalog(':memory:')]
    const days = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23']
    const refs = days.map(day => addDump(archive.store, { time: new Date(`${day}T10:00:00Z`) }))
    const [oldest, , , newest] = refs
    // An analysed dump is one that a scan has no other reason to read.
    for (const ref of refs) archive.store.writeReport(ref, JSON.stringify(report()))
    for (const catalog of [here, there]) await syncCatalog(archive.store, catalog)
    const hold = { by: 'someone', time: new Date().toISOString() }
    for (const ref of [oldest!, newest!]) {
      archive.store.changeManifest(ref, manifest => ({ ...manifest, hold }))
      syncDump(archive.store, here, ref)
    }
    assert.equal((await syncCatalog(archive.store, here)).changed, 0)
    assert.equal((await syncCatalog(archive.store, there, { days: 2 })).changed, 0)
    assert.equal((await syncCatalog(archive.store, there)).changed, 2)
    assert.deepEqual(there.list({}), here.list({}))
    assert.equal(there.get(oldest!.id)!.held, true)
    archive.store.changeManifest(oldest!, ({ hold: _, ...manifest }) => manifest)
    archive.store.changeManifest(newest!, ({ hold: _, ...manifest }) => ({
      ...manifest,
      core: { ...manifest.core, shrunk: { ...manifest.core, time: hold.time, reason: 'age', tool: '1' } },
    }))
    assert.equal((await syncCatalog(archive.store, there)).changed, 2)
    assert.deepEqual([there.get(oldest!.id)!.held, there.get(newest!.id)!.shrunk], [false, true])
    archive.store.remove(oldest!)
    assert.equal((await syncCatalog(archive.store, there)).removed, 1)
    assert.equal((await syncCatalog(archive.store, there)).changed, 0)
  })

  it('looks at the newest days each time, and at older ones by turns', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const day = (i: number): Date => new Date(Date.UTC(2026, 9, 1 + i, 10))
    const refs = Array.from({ length: 12 }, (_, i) => addDump(archive.store, { time: day(i) })).reverse()
    for (const ref of refs) archive.store.writeReport(ref, JSON.stringify(report()))
    await syncCatalog(archive.store, catalog)
    const looked: string[] = []
    const { store } = archive
    const bound = (value: unknown): unknown => (typeof value === 'function' ? value.bind(store) : value)
    const asked = new Proxy(store, {
      get: (_, name) =>
        name === 'manifestTime'
          ? (ref: DumpRef) => {
              looked.push(ref.day)
              return store.manifestTime(ref)
            }
          : bound(Reflect.get(store, name, store)),
    })
    const rotation = new Rotation(5)
    const all = refs.map(ref => ref.day)
    const older = all.slice(2)
    for (let scan = 0; scan < 5; scan++) {
      looked.length = 0
      await syncCatalog(asked, catalog, { rotation })
      const turn = [0, 1, 2].map(i => older[(3 * scan + i) % older.length]!)
      assert.deepEqual(looked.toSorted(), [...all.slice(0, 2), ...turn].toSorted(), `scan ${scan}`)
    }
  })

  it('sees the rest of a core that came home after its beginning was listed', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const ref = addDump(archive.store)
    const whole = archive.store.readManifest(ref)
    const path = archive.store.layout.file(ref, 'manifest.json')
    const core = { ...whole.core, state: 'truncated', reason: 'handler-error' }
    writeFileSync(path, JSON.stringify({ ...whole, core }))
    archive.store.writeReport(ref, JSON.stringify(report()))
    await syncCatalog(archive.store, catalog)
    writeFileSync(path, JSON.stringify(whole))
    assert.equal((await syncCatalog(archive.store, catalog)).changed, 1)
    assert.equal(catalog.get(ref.id)!.coreState, 'complete')
  })

  it('leaves a dump alone whose manifest is not written yet, and names one that is damaged', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const unfinished = addDump(archive.store)
    rmSync(archive.store.layout.file(unfinished, 'manifest.json'))
    const damaged = addDump(archive.store)
    writeFileSync(archive.store.layout.file(damaged, 'manifest.json'), '{"schema":')
    const result = await syncCatalog(archive.store, catalog)
    assert.deepEqual([result.added, result.broken.map(({ ref }) => ref.id)], [0, [damaged.id]])
    assert.match(result.broken[0]!.reason, /not JSON/)
    assert.deepEqual(idsOf(catalog), [])
  })

  it('days: today, whatever days clocks that were wrong have left', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const at = (days: number): DumpRef =>
      addDump(archive.store, { time: new Date(Date.now() + days * 86_400_000) })
    const wrong = [at(3000), at(3001), at(3002)]
    const [tomorrow, today, old] = [at(1), at(0), at(-1)]
    await syncCatalog(archive.store, catalog, { days: 2 })
    assert.deepEqual(new Set(idsOf(catalog)), new Set([...wrong, tomorrow, today].map(({ id }) => id)))
    await syncCatalog(archive.store, catalog, { days: 3 })
    assert.ok(catalog.get(old.id))
  })

  it('days: only the newest', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    addDump(archive.store, { time: new Date('2026-11-20T10:00:00Z') })
    const two = addDump(archive.store, { time: new Date('2026-11-22T10:00:00Z') })
    await syncCatalog(archive.store, catalog, { days: 1 })
    assert.deepEqual(idsOf(catalog), [two.id])
  })

  it('failed: a newer program gets another try', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const ref = addDump(archive.store)
    await syncCatalog(archive.store, catalog)
    catalog.put({ ...catalog.get(ref.id)!, analysis: 'failed', analysisError: 'by an old one' })
    const record = { schema: 'gocore-analysis', version: 1, state: 'failed', tool: '0.0.1' } as const
    writeAnalysisRecord(archive.store, ref, { ...record, host: 'x', started: 'y', attempts: 1 })
    await syncCatalog(archive.store, catalog)
    assert.equal(catalog.get(ref.id)!.analysis, 'failed')
    await syncCatalog(archive.store, catalog, { failed: true })
    assert.equal(catalog.get(ref.id)!.analysis, 'pending')
  })
})

describe('reindex()', () => {
  it('gives the same rows as following the archive did', async () => {
    using archive = testArchive()
    const { store } = archive
    const followed = openCatalog(':memory:')
    const times = [0, 1, 2, 3, 4, 5].map(days => new Date(Date.UTC(2026, 10, 20 + days, 10)))
    const refs = times.map((time, index) => addDump(store, { time, ...(index === 3 ? { core: null } : {}) }))
    await syncCatalog(store, followed)
    store.writeReport(refs[0]!, JSON.stringify(report()))
    store.writeReport(refs[1]!, 'not a report')
    store.pin(refs[2]!, { time: 'now' })
    const record = { schema: 'gocore-analysis', version: 1, state: 'failed', tool: '0.1.0' } as const
    writeAnalysisRecord(store, refs[4]!, { ...record, host: 'x', started: 'y', attempts: 1, reason: 'no' })
    await syncCatalog(store, followed)
    store.remove(refs[5]!)
    await syncCatalog(store, followed)

    const anew = openCatalog(':memory:')
    await reindex(store, anew)
    assert.deepEqual(anew.list({}), followed.list({}))
    assert.deepEqual(anew.top({}), followed.top({}))
    assert.deepEqual(anew.search('panic', {}), followed.search('panic', {}))
    assert.equal(anew.list({}).length, 5)
  })

  it('cures a catalog that holds nonsense', async () => {
    using archive = testArchive()
    const catalog = openCatalog(':memory:')
    const ref = addDump(archive.store)
    await syncCatalog(archive.store, catalog)
    const good = catalog.list({})
    catalog.put({ ...good[0]!, comm: 'wrong', cause: 'wrong', pinned: true })
    catalog.put({ ...good[0]!, id: 'zzzzzzzzzzzz', day: '2020/01/01' })
    await reindex(archive.store, catalog)
    assert.deepEqual(catalog.list({}), good)
    writeFileSync(archive.store.layout.file(ref, 'manifest.json'), 'damage')
    const { removed, broken } = await reindex(archive.store, catalog)
    assert.deepEqual([removed, broken.length], [1, 1])
  })
})
