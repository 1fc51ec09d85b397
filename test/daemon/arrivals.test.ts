import assert from 'node:assert/strict'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DumpRef } from '../../src/archive/index.ts'
import { defaultConfig, outboxOf } from '../../src/config/index.ts'
import { Arrivals } from '../../src/daemon/arrivals.ts'
import { HeardCrashes } from '../../src/daemon/heard-crashes.ts'
import { Holdings } from '../../src/daemon/holdings.ts'
import { openLog } from '../../src/daemon/log.ts'
import { News } from '../../src/daemon/monitor/news.ts'
import { Outbox } from '../../src/daemon/monitor/outbox.ts'
import { Telling } from '../../src/daemon/monitor/telling.ts'
import type { AnalysisQueue } from '../../src/daemon/queue.ts'
import { isImported, manifestOf } from '../../src/daemon/row.ts'
import { Scanning } from '../../src/daemon/scanning.ts'
import { syncCatalog } from '../../src/daemon/sync.ts'
import { parseExposition } from '../support/exposition.ts'
import { addDump, report, type TestArchive, testArchive } from './archive.ts'

const day = 24 * 60 * 60_000

/** What of a daemon counts crashes; each call is one that has started anew. */
function start({ directory, store }: TestArchive) {
  const [state, log] = [join(directory, 'state'), join(directory, 'log')]
  mkdirSync(state, { recursive: true })
  const hooks = { ...defaultConfig().hooks, command: ['/bin/true'], on: ['crash' as const] }
  const holdings = new Holdings({
    config: { ...defaultConfig(), archive: store.root, state, hooks },
    log: openLog('debug', { fd: openSync(log, 'a'), journal: false }),
    onNewCatalog() {},
  })
  const queue = { prefer() {}, pump() {} } as unknown as AnalysisQueue
  const arrivals = new Arrivals({ holdings, queue, look() {}, heard: new HeardCrashes() })
  const news = new News({
    ...{ config: () => holdings.config, catalog: () => holdings.catalog, gid: undefined },
    open: row => (isImported(manifestOf(store, row)) ? undefined : row),
    onProblem: assert.fail,
  })
  return {
    ...{ holdings, arrivals },
    hooked: () => news.look().map(({ id }) => id),
    counted: () =>
      [...parseExposition(holdings.counts.text(0))].reduce(
        (sum, [name, value]) => sum + (name.startsWith('gocore_sink_crashes_total') ? value : 0),
        0,
      ),
    /** By all daemons so far. */
    told: () => readFileSync(log, 'utf8').match(/(?<=Dump )\w+(?= arrived: )/g) ?? [],
    scan: async () => {
      await syncCatalog(store, holdings.catalog)
      await arrivals.countNew()
    },
    [Symbol.dispose]: () => holdings.catalog.close(),
  }
}

/** With a report, so that hooks are told of it. */
function addCrash({ store }: TestArchive, options: Parameters<typeof addDump>[1] = {}): DumpRef {
  const ref = addDump(store, options)
  store.writeReport(ref, JSON.stringify(report()))
  return ref
}

describe('Arrivals', () => {
  it('count no crash that was imported, and no hook is told of it', async () => {
    using archive = testArchive()
    using daemon = start(archive)
    const imported = { manifest: { imported_from: '/mnt/customer/core' } }
    daemon.arrivals.onDump(addCrash(archive, imported), true)
    addCrash(archive, imported)
    await daemon.scan()
    assert.deepEqual([daemon.counted(), daemon.told(), daemon.hooked()], [0, [], []])
  })

  it('count what somebody else listed first, and nothing twice, over a new catalog and a restart', async () => {
    using archive = testArchive()
    const { store } = archive
    const ids: string[] = []
    {
      using daemon = start(archive)
      const [one, other] = [addCrash(archive), addCrash(archive)]
      ids.push(one.id, other.id)
      // A verb of root's.
      await syncCatalog(store, daemon.holdings.catalog)
      daemon.arrivals.onDump(one)
      assert.equal(daemon.counted(), 1)
      await daemon.arrivals.countNew()
      assert.equal(daemon.counted(), 2)
      daemon.holdings.catalog.clear()
      await daemon.scan()
      daemon.arrivals.onDump(one)
      assert.equal(daemon.counted(), 2)
      assert.deepEqual(daemon.hooked().sort(), ids.sort())
    }
    using next = start(archive)
    await next.scan()
    assert.deepEqual([next.counted(), next.hooked()], [0, []])
    assert.deepEqual(next.told().sort(), ids)
  })

  it('count once what a wrong clock dated, be it 1970 or in years to come', async () => {
    using archive = testArchive()
    const clocks = [0, 9 * day, Date.now() + 900 * day].map(time => new Date(time))
    const heard = clocks.map(time => addCrash(archive, { time }).id)
    const all = [...heard]
    {
      using daemon = start(archive)
      for (const ref of archive.store.list()) daemon.arrivals.onDump(ref)
      assert.equal(daemon.counted(), 3)
      all.push(...clocks.map(time => addCrash(archive, { time }).id))
      await daemon.scan()
      await daemon.scan()
      assert.equal(daemon.counted(), 6)
      assert.deepEqual(daemon.hooked().sort(), all.sort())
    }
    using next = start(archive)
    next.holdings.catalog.clear()
    await next.scan()
    for (const ref of archive.store.list()) next.arrivals.onDump(ref)
    assert.equal(next.counted(), 0)
    assert.deepEqual(next.told().sort(), all)
  })

  it('count nothing old at a first start on a full archive, by a clock that is in 1970 neither', async t => {
    using archive = testArchive()
    const old = [8, 90, 400].map(days => addCrash(archive, { time: new Date(Date.now() - days * day) }))
    using daemon = start(archive)
    await daemon.scan()
    for (const ref of old) daemon.arrivals.onDump(ref)
    assert.equal(daemon.counted(), 0)
    t.mock.timers.enable({ apis: ['Date'], now: day })
    await daemon.arrivals.countNew()
    for (const ref of old) daemon.arrivals.onDump(ref)
    daemon.arrivals.onDump(addCrash(archive))
    assert.equal(daemon.counted(), 1, 'that of this day alone')
  })

  it('leave to others the crashes of their machines', async () => {
    using archive = testArchive()
    using daemon = start(archive)
    addCrash(archive, { manifest: { host: { name: 'another' } } })
    daemon.arrivals.onDump(addCrash(archive, { manifest: { host: { name: 'another' } } }))
    await daemon.scan()
    assert.deepEqual([daemon.counted(), daemon.told(), daemon.hooked()], [0, [], []])
  })

  it('let others have their turn over thousands, and count each once whoever looks meanwhile', async () => {
    using archive = testArchive()
    using daemon = start(archive)
    for (let n = 0; n < 3000; n++) addDump(archive.store, { core: null })
    await syncCatalog(archive.store, daemon.holdings.catalog)
    let beats = 0
    const beat = setInterval(() => beats++, 1)
    await Promise.all([daemon.arrivals.countNew(), daemon.arrivals.countNew()])
    clearInterval(beat)
    assert.equal(daemon.counted(), 3000)
    assert.ok(beats > 0)
  })

  it('read no more of the catalog for a crash that is heard of than that one', t => {
    using archive = testArchive()
    using daemon = start(archive)
    const refs = Array.from({ length: 200 }, () => addDump(archive.store))
    const list = t.mock.method(daemon.holdings.catalog, 'list')
    for (const ref of refs) daemon.arrivals.onDump(ref)
    assert.deepEqual([daemon.counted(), list.mock.callCount()], [200, 0])
  })
})

describe('Telling', () => {
  it('waits for a scan of all days, by which it knows what is new, and counts what becomes of events', async () => {
    using archive = testArchive()
    const env = process.env.GOCORE_SINK_HOOKS
    // Nobody delivers.
    process.env.GOCORE_SINK_HOOKS = 'unit'
    try {
      mkdirSync(join(archive.directory, 'state'))
      writeFileSync(join(archive.directory, 'state/announced'), '')
      addCrash(archive, { time: new Date(Date.now() - 30 * day), manifest: { host: { name: 'another' } } })
      addCrash(archive, { time: new Date(), manifest: { host: { name: hostname() } } })
      using daemon = start(archive)
      const { holdings, arrivals } = daemon
      const queue = { prefer() {}, pump() {} } as unknown as AnalysisQueue
      const scanning = new Scanning({ holdings, arrivals, queue })
      const telling = new Telling(holdings, undefined)
      const outbox = new Outbox(outboxOf(holdings.config), undefined)
      await scanning.scan({ days: 1 })
      telling.look()
      assert.deepEqual(outbox.letters(), [])
      await scanning.scan()
      telling.look()
      const [letter] = outbox.letters()
      const { event } = JSON.parse(readFileSync(join(outboxOf(holdings.config), letter!), 'utf8'))
      assert.deepEqual(event.events, ['crash', 'regression'])
      const counted = (): (number | undefined)[] => {
        const samples = parseExposition(holdings.counts.text(0))
        return ['put', 'left-out', 'given-up']
          .map(result => `events_total{result="${result}"}`)
          .concat('waiting')
          .map(name => samples.get(`gocore_sink_hook_${name}`))
      }
      assert.deepEqual(counted(), [1, 0, 0, 1])
      outbox.giveUp(letter!)
      holdings.config = { ...holdings.config, hooks: { ...holdings.config.hooks, perHour: 1 } }
      addCrash(archive, { time: new Date(), manifest: { host: { name: hostname() } } })
      await scanning.scan()
      telling.look()
      assert.deepEqual(counted(), [1, 1, 1, 0])
      await scanning.stop()
    } finally {
      if (env === undefined) delete process.env.GOCORE_SINK_HOOKS
      else process.env.GOCORE_SINK_HOOKS = env
    }
  })
})
