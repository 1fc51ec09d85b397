/** What the queue does with a dump that its work leaves as it was. */
import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DumpRef } from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import type { CrashRow } from '../../src/catalog/index.ts'
import { type Config, defaultConfig } from '../../src/config/index.ts'
import { DumpWork } from '../../src/daemon/dump-work.ts'
import { Holdings } from '../../src/daemon/holdings.ts'
import { openLog } from '../../src/daemon/log.ts'
import { AnalysisQueue } from '../../src/daemon/queue.ts'
import { keepWithinLimits } from '../../src/daemon/retention.ts'
import { syncCatalog } from '../../src/daemon/sync.ts'
import { addDump, report, type TestArchive, testArchive } from './archive.ts'

interface Bed extends Disposable {
  readonly holdings: Holdings
  readonly dumpWork: DumpWork
  /** Ids in the order in which they were taken in hand. */
  readonly tried: string[]
  log(): string
  /** Resolves when the queue has nothing that it may begin. */
  work(): Promise<void>
}

function bedOf(archive: TestArchive, config: Partial<Config> = {}, program = '/nonexistent'): Bed {
  const [state, logFile] = ['state', 'log'].map(name => join(archive.directory, name)) as [string, string]
  mkdirSync(state)
  const fd = openSync(logFile, 'w')
  const holdings = new Holdings({
    config: { ...defaultConfig(), archive: archive.store.root, state, ...config },
    log: openLog('debug', { fd, journal: false }),
    onNewCatalog: () => {},
  })
  const work = new DumpWork({ holdings, onStatus: () => {}, program })
  const tried: string[] = []
  const { promise: idle, resolve } = Promise.withResolvers<void>()
  const queue = new AnalysisQueue({
    ...{ store: holdings.store, catalog: () => holdings.catalog },
    ...{ parallel: () => 1, patience: () => 1000, onIdle: resolve },
    work: (row: CrashRow, signal) => {
      tried.push(row.id)
      // One that comes again and again would do so for ever.
      return tried.length > 10 ? Promise.reject(new Error('enough')) : work.analyse(row, signal)
    },
  })
  return {
    ...{ holdings, dumpWork: work, tried, log: () => readFileSync(logFile, 'utf8') },
    async work() {
      await syncCatalog(holdings.store, holdings.catalog)
      queue.pump()
      await idle
    },
    [Symbol.dispose]() {
      holdings.catalog.close()
      closeSync(fd)
    },
  }
}

describe('keepWithinLimits()', () => {
  it('tells of a leftover, and counts no deleted dump for it', async () => {
    using archive = testArchive()
    using bed = bedOf(archive)
    const { holdings } = bed
    holdings.config.retention = { ...holdings.config.retention, keepFree: null }
    const old = addDump(archive.store, { time: minutesAgo(200 * 24 * 60) })
    const inHand = addDump(archive.store, { time: minutesAgo(199 * 24 * 60) })
    using _lease = new Leases(archive.store).take(inHand.id)
    mkdirSync(join(archive.store.root, 'tmp'), { recursive: true })
    const stray = join(archive.store.root, 'tmp', 'x')
    closeSync(openSync(stray, 'w'))
    utimesSync(stray, 1, 1)
    await keepWithinLimits(holdings, new DumpWork({ holdings, onStatus: () => {} }))
    const counted = holdings.counts.text(0).match(/^gocore_sink_retention_total\{.* [1-9]$/gm)
    assert.deepEqual(counted?.sort(), [
      'gocore_sink_retention_total{action="clear"} 1',
      'gocore_sink_retention_total{action="delete"} 1',
      'gocore_sink_retention_total{action="kept"} 1',
    ])
    assert.match(bed.log(), new RegExp(`info: Deleted dump ${old.id}: older than MaxAge=90d`))
    assert.match(bed.log(), new RegExp(`info: Did not delete dump ${inHand.id} .*in hand`))
    assert.doesNotMatch(bed.log(), /warning/)
  })
})

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000)

describe('the analysis queue', () => {
  it('leaves a dump for a while that can’t be encrypted first, and goes on to the next', async () => {
    using archive = testArchive()
    const [newer, older] = [1, 2].map(minutes => addDump(archive.store, { time: minutesAgo(minutes) }))
    using bed = bedOf(archive, { encryptTo: ['age1notakey'], analyseBeforeEncryption: false })
    await bed.work()
    assert.deepEqual(bed.tried, [newer!.id, older!.id])
    assert.equal(bed.holdings.catalog.get(newer!.id)?.analysis, 'pending')
    assert.equal(bed.log().match(/Could not encrypt/g)?.length, 2)
    // It is tried again every minute, and told once.
    await bed.dumpWork.encryptTheRest()
    assert.equal(bed.log().match(/Could not encrypt/g)?.length, 2)
  })

  it('leaves dumps for a while for which no process can be started', async () => {
    using archive = testArchive()
    const [newer, older] = [1, 2].map(minutes => addDump(archive.store, { time: minutesAgo(minutes) }))
    // Longer than any argument may be.
    using bed = bedOf(archive, {}, `/${'x'.repeat(200_000)}`)
    await bed.work()
    assert.deepEqual(bed.tried, [newer!.id, older!.id])
    assert.equal(bed.holdings.catalog.get(newer!.id)?.analysis, 'pending')
    assert.equal(bed.log().match(/now, trying again later: the analysis could not be started/g)?.length, 2)
  })

  it('forgets a dump of which only its directory is left', async () => {
    using archive = testArchive()
    const [newer, older] = [1, 2].map(minutes => addDump(archive.store, { time: minutesAgo(minutes) }))
    using bed = bedOf(archive)
    const { store, catalog } = bed.holdings
    await syncCatalog(store, catalog)
    const manifest = store.layout.file(newer!, 'manifest.json')
    const before = catalog.list
    // Its removal begins when the queue has chosen it.
    catalog.list = filter => {
      const rows = before.call(catalog, filter)
      if (filter.host !== undefined) rmSync(manifest, { force: true })
      return rows
    }
    await bed.work()
    assert.deepEqual(bed.tried, [newer!.id, older!.id])
    assert.equal(catalog.get(newer!.id), undefined)
    assert.equal(catalog.get(older!.id)?.analysis, 'failed')
    assert.doesNotMatch(bed.log(), new RegExp(newer!.id))
  })

  it("says nothing in the journal of why the analysis failed of a dump that is root's alone", async () => {
    using archive = testArchive()
    const open = addDump(archive.store, { time: minutesAgo(2), manifest: { dumpable: 1 } })
    const closed = [{ dumpable: 2 } as const, {}].map(manifest => addDump(archive.store, { manifest }))
    using bed = bedOf(archive)
    await bed.work()
    const said = ({ id }: { id: string }): string | undefined =>
      new RegExp(`Could not analyse dump ${id} [^:]*: (.*)`).exec(bed.log())?.[1]
    assert.match(said(open)!, /^the analysis ended with status/)
    assert.deepEqual(closed.map(said), Array(2).fill('analysis.json says why'))
  })

  it('forgets none while the archive is away', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store, { time: minutesAgo(1) })
    using bed = bedOf(archive)
    const { store, catalog } = bed.holdings
    await syncCatalog(store, catalog)
    renameSync(store.root, `${store.root}.away`)
    mkdirSync(store.root)
    const row = catalog.get(ref.id)!
    const work = new DumpWork({ holdings: bed.holdings, onStatus: () => {}, program: '/nonexistent' })
    await assert.rejects(work.analyse(row, bed.holdings.stopping), /is not there: ENOENT/)
    assert.deepEqual(catalog.get(ref.id), row)
    assert.equal(existsSync(join(store.root, 'leases')), false, 'nothing is written beneath its mount')
  })
})

describe('encryptTheRest()', () => {
  const encryptTo = ['age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj']
  const isEncrypted = ({ holdings }: Bed, ref: DumpRef): boolean =>
    holdings.store.readManifest(ref).core.encrypted !== undefined
  const failed = (tool: string): string =>
    JSON.stringify({ schema: 'gocore-analysis', version: 1, state: 'failed', tool, attempts: 1 })

  it('encrypts what is analysed or never will be, and nothing that only seems so by the catalog', async () => {
    using archive = testArchive()
    const { store } = archive
    const [waiting, done, hopeless, retried, outdated] = [1, 2, 3, 4, 5].map(minutes =>
      addDump(store, { time: minutesAgo(minutes) }),
    )
    for (const ref of [done!, outdated!]) store.writeReport(ref, JSON.stringify(report()))
    for (const ref of [hopeless!, retried!]) store.writeAnalysis(ref, failed('9999.0.0'))
    using bed = bedOf(archive, { encryptTo })
    await syncCatalog(store, bed.holdings.catalog)
    // What was written since is not in the catalog yet: an older program's failure, a report that is no more, new dumps.
    store.writeAnalysis(retried!, failed('0.0.1'))
    rmSync(store.layout.file(outdated!, 'report.json'))
    const [unlisted, unlistedDone] = [0, 0].map(() => addDump(store))
    store.writeReport(unlistedDone!, JSON.stringify(report()))
    await bed.dumpWork.encryptTheRest()
    const all = { waiting, done, hopeless, retried, outdated, unlisted, unlistedDone }
    const encrypted = Object.entries(all).flatMap(([name, ref]) => (isEncrypted(bed, ref!) ? name : []))
    assert.deepEqual(encrypted, ['done', 'hopeless'])
    assert.equal(bed.holdings.catalog.get(unlisted!.id), undefined, 'who lists it tells of it')
  })

  it('encrypts all that are listed where no analysis comes first', async () => {
    using archive = testArchive()
    const ref = addDump(archive.store)
    using bed = bedOf(archive, { encryptTo, analyseBeforeEncryption: false })
    await syncCatalog(archive.store, bed.holdings.catalog)
    await bed.dumpWork.encryptTheRest()
    assert.ok(isEncrypted(bed, ref))
    assert.equal(bed.holdings.catalog.get(ref.id)?.analysis, 'none')
  })

  it('looks at the newest days alone where it is told so', async () => {
    using archive = testArchive()
    const refs = [0, 1, 2].map(days => addDump(archive.store, { time: minutesAgo(days * 24 * 60) }))
    for (const ref of refs) archive.store.writeReport(ref, JSON.stringify(report()))
    using bed = bedOf(archive, { encryptTo })
    await syncCatalog(archive.store, bed.holdings.catalog)
    await bed.dumpWork.encryptTheRest({ days: 2 })
    assert.deepEqual(
      refs.map(ref => isEncrypted(bed, ref)),
      [true, true, false],
    )
  })

  it('gives others their turn between the dumps of one day', async t => {
    using archive = testArchive()
    const time = minutesAgo(1)
    for (let n = 0; n < 300; n++) addDump(archive.store, { time, core: null })
    using bed = bedOf(archive, { encryptTo })
    let atOnce = 0
    let most = 0
    const parse = JSON.parse
    t.mock.method(JSON, 'parse', (...args: Parameters<typeof parse>) => {
      most = Math.max(most, ++atOnce)
      // Storage takes its time.
      for (const from = performance.now(); performance.now() - from < 0.2; );
      return parse(...args)
    })
    const others = setInterval(() => {
      atOnce = 0
    }, 1)
    await bed.dumpWork.encryptTheRest()
    clearInterval(others)
    // A turn is 20 ms.
    assert.ok(most > 0 && most < 150, `${most} manifests were read at once`)
  })
})
