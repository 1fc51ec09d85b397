/** What retention takes for old where clocks are wrong, or a crash is older than its dump. */
import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { birthOf } from '../../src/archive/arrival.ts'
import { importDump } from '../../src/archive/import.ts'
import { type DumpRef, initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import type { RetentionPolicy } from '../../src/archive/retention.ts'
import { type GcResult, runGc } from '../../src/daemon/gc.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { addDump, report, testArchive } from './archive.ts'

const day = 24 * 3600e3
const none: RetentionPolicy = { maxAge: null, maxSize: null, keepFree: null }
const days90 = { ...none, maxAge: (90 * day) / 1000 }
const ago = (days: number): Date => new Date(Date.now() - days * day)
const names = ({ actions }: GcResult): string[] => actions.map(({ name }) => name)

/** As if this machine's clock said so. */
const setClock = (t: TestContext, time: number): void => t.mock.timers.enable({ apis: ['Date'], now: time })

const made = (store: LocalStore, at: Date): void => utimesSync(join(store.root, 'format.json'), at, at)

describe('birthOf()', () => {
  const made = Date.UTC(2026, 0, 1)
  const now = Date.UTC(2026, 10, 30)
  const rows: [time: string, stored: string | undefined, birth: string | undefined][] = [
    ['2026-11-01T00:00:00.000Z', undefined, '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
    ['2026-11-02T00:00:00.000Z', '2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
    ['1970-01-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
    ['2099-01-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z', '2026-11-02T00:00:00.000Z'],
    ['2026-11-30T12:00:00.000Z', '2026-11-02T00:00:00.000Z', '2026-11-30T12:00:00.000Z'],
    ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:01.000Z', undefined],
    ['2099-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z', undefined],
    ['1970-01-01T00:00:00.000Z', undefined, undefined],
    ['2026-11-01T00:00:00.000Z', 'yesterday', '2026-11-01T00:00:00.000Z'],
  ]
  for (const [time, stored, birth] of rows)
    it(`of a crash at ${time} stored at ${stored} is ${birth}`, () => {
      const at = birthOf(stored === undefined ? { time } : { time, stored }, made, now)
      assert.equal(at === undefined ? undefined : new Date(at).toISOString(), birth)
    })
})

describe('runGc() and clocks', () => {
  it('counts the age of what is imported or comes home late from then on', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    const other = openLocalStore(join(directory, 'other'))
    const spool = openLocalStore(join(directory, 'spool'))
    for (const made of [other, spool]) initializeStore(made)
    const theirs = addDump(other, { time: ago(120), manifest: { stored: ago(119).toISOString() } })
    importDump(store, other, other.find(theirs.id)[0]!)
    addDump(spool, { time: new Date(0) })
    assert.equal((await shipSpool(spool, store)).length, 1)
    const ours = addDump(store, { time: ago(120) })
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [ours.id])
    for (const { manifest } of store.list())
      assert.ok(Date.now() - Date.parse(manifest.stored!) < 60_000, String(manifest.stored))
    assert.equal([...store.list()].length, 2)
  })

  it('begins to count where no clock was right, and says so in the manifest', async () => {
    using archive = testArchive()
    const { store } = archive
    made(store, ago(200))
    const refs = [new Date(0), new Date('2099-01-01')].map(time =>
      addDump(store, { time, manifest: { stored: time.toISOString() } }),
    )
    const text = (ref: DumpRef): string | undefined => store.readManifest(ref).stored
    const before = refs.map(text)
    assert.deepEqual(names(await runGc({ store, policy: days90, dryRun: true })), [])
    assert.deepEqual(refs.map(text), before)
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [])
    const noted = refs.map(text)
    for (const stored of noted) assert.ok(Math.abs(Date.now() - Date.parse(stored!)) < 60_000, String(stored))
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [])
    assert.deepEqual(refs.map(text), noted)
    const later = await runGc({ store, policy: days90, now: Date.now() + 91 * day })
    assert.deepEqual(names(later).sort(), refs.map(({ id }) => id).sort())
  })

  it('begins no age where this machine’s clock is behind, and forgets none', async t => {
    using archive = testArchive()
    const { store } = archive
    made(store, ago(300))
    const stored = ago(1).toISOString()
    const imported = [200, 150, 3].map(days => addDump(store, { time: ago(days), manifest: { stored } }))
    const { now } = Date
    for (const behind of [now(), 365 * day]) {
      setClock(t, now() - behind)
      assert.deepEqual(names(await runGc({ store, policy: days90 })), [])
      t.mock.timers.reset()
    }
    for (const ref of imported) assert.equal(store.readManifest(ref).stored, stored)
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [])
  })

  it('believes the storage where this machine’s clock is ahead', async t => {
    using archive = testArchive()
    const { store } = archive
    addDump(store, { time: ago(1) })
    mkdirSync(join(store.root, 'tmp'), { recursive: true })
    writeFileSync(join(store.root, 'tmp', 'being-written'), 'half')
    setClock(t, Date.now() + 365 * day)
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [])
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), ['being-written'])
  })

  it('goes by this machine’s clock where nothing can be written', async () => {
    using archive = testArchive()
    const { store } = archive
    const old = addDump(store, { time: ago(99) })
    rmSync(join(store.root, 'tmp'), { recursive: true, force: true })
    writeFileSync(join(store.root, 'tmp'), 'in its place')
    assert.ok(Math.abs(store.now() - Date.now()) < 60_000)
    assert.deepEqual(names(await runGc({ store, policy: days90 })), [old.id])
    assert.ok(lstatSync(join(store.root, 'tmp')).isFile())
  })

  it('lets no crash of the future keep its place among the latest for ever', async () => {
    using archive = testArchive()
    const { store } = archive
    const add = (time: Date, stored: Date): DumpRef => {
      const ref = addDump(store, {
        time,
        core: Buffer.alloc(600_000, Buffer.from(Array.from({ length: 4099 }, (_, i) => (i * i * 31) >>> 3))),
        manifest: { stored: stored.toISOString(), executable: { key: 'ab'.repeat(20), path: '/x' } },
      })
      store.changeManifest(ref, ({ core, ...rest }) => ({ ...rest, core: { ...core, stored_size: 300_000 } }))
      store.writeReport(ref, JSON.stringify(report()))
      return ref
    }
    const future = add(new Date('2099-01-01'), ago(9))
    add(ago(3), ago(3))
    const policy = { ...none, keepFirst: 0, keepLatest: 1, shrinkAfter: 60 }
    const { actions } = await runGc({
      ...{ store, policy },
      shrink: async () => ({ state: 'shrunk', from: 300_000, to: 1000 }),
    })
    assert.deepEqual(
      actions.map(({ action, name }) => [action, name]),
      [['shrink', future.id]],
    )
  })
})
