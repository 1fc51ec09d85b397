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
import { Leases } from '../../src/archive/lease.ts'
import type { CrashRow } from '../../src/catalog/index.ts'
import { type Config, defaultConfig } from '../../src/config/index.ts'
import { DumpWork } from '../../src/daemon/dump-work.ts'
import { Holdings } from '../../src/daemon/holdings.ts'
import { openLog } from '../../src/daemon/log.ts'
import { AnalysisQueue } from '../../src/daemon/queue.ts'
import { keepWithinLimits } from '../../src/daemon/retention.ts'
import { syncCatalog } from '../../src/daemon/sync.ts'
import { addDump, type TestArchive, testArchive } from './archive.ts'

interface Bed extends Disposable {
  readonly holdings: Holdings
  /** Ids in the order in which they were taken in hand. */
  readonly tried: string[]
  log(): string
  /** Resolves when the queue has nothing that it may begin. */
  work(): Promise<void>
}

function bedOf(archive: TestArchive, config: Partial<Config> = {}): Bed {
  const [state, logFile] = ['state', 'log'].map(name => join(archive.directory, name)) as [string, string]
  mkdirSync(state)
  const fd = openSync(logFile, 'w')
  const holdings = new Holdings({
    config: { ...defaultConfig(), archive: archive.store.root, state, ...config },
    log: openLog('debug', { fd, journal: false }),
    onNewCatalog: () => {},
  })
  const work = new DumpWork({ holdings, onStatus: () => {}, program: '/nonexistent' })
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
    ...{ holdings, tried, log: () => readFileSync(logFile, 'utf8') },
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
