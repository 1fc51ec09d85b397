import assert from 'node:assert/strict'
import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { DumpRef, LocalStore } from '../../src/archive/index.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { findLeftovers } from '../../src/daemon/leftovers.ts'
import { recoverDumps } from '../../src/daemon/recover.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { addDump, testArchive } from './archive.ts'

const day = 24 * 60 * 60 * 1000

/** A dump in the making, on another machine, that nobody has written to for so many days. */
function begun(store: LocalStore, daysAgo: number): DumpRef {
  const ref = addDump(store, {
    manifest: { host: { name: 'web-2', machine_id: 'another', boot_id: 'another' } },
  })
  const path = (name: string): string => store.layout.file(ref, name)
  renameSync(path('manifest.json'), path('pending.json'))
  renameSync(path('core.lz4'), path('core.lz4.part'))
  const then = new Date(Date.now() - daysAgo * day)
  for (const name of ['pending.json', 'core.lz4.part', '']) utimesSync(path(name), then, then)
  return ref
}

const gcAt = (store: LocalStore, now: number): ReturnType<typeof runGc> =>
  runGc({ store, now, policy: { maxAge: null, maxSize: null, keepFree: null } })

describe('findLeftovers()', () => {
  it('leaves a dump in the making to recovery, whatever its age by a clock', async () => {
    using archive = testArchive()
    const { store } = archive
    const ref = begun(store, 0)
    assert.deepEqual((await gcAt(store, Date.now() + 8 * day)).actions, [])
    assert.deepEqual(
      [...verify({ store })].filter(isFinding).map(({ what }) => what.replace(/[0-9]+ bytes/, 'N bytes')),
      ['a dump in the making, N bytes; the daemon lists it when its handler is gone'],
    )
    assert.equal(recoverDumps(store, { booted: 0, now: Date.now() + 2 * day }).length, 1)
    assert.equal(store.readManifest(ref).host.name, 'web-2')
    assert.deepEqual([...findLeftovers(store)], [])
  })

  it('lists in an hour what is old, since a daemon may never live for a day', t => {
    using archive = testArchive()
    const { store } = archive
    begun(store, 2)
    const old = begun(store, 8)
    const options = { booted: 0, watched: new Map() }
    assert.deepEqual(recoverDumps(store, options), [])
    const { now } = performance
    t.mock.method(performance, 'now', () => now.call(performance) + (61 * day) / (24 * 60))
    assert.deepEqual(
      recoverDumps(store, options).map(({ ref }) => ref),
      [old],
    )
  })

  it('has those in time of which nobody could make a dump', async () => {
    using archive = testArchive()
    const { store } = archive
    const changes: ((pending: string) => void)[] = [
      pending => writeFileSync(pending, '{'),
      pending => rmSync(pending),
      pending => {
        rmSync(pending)
        symlinkSync('nowhere', pending)
      },
    ]
    for (const change of changes) change(store.layout.file(begun(store, 0), 'pending.json'))
    assert.equal((await gcAt(store, Date.now() + 6 * day)).actions.length, 0)
    assert.equal((await gcAt(store, Date.now() + 8 * day)).actions.length, changes.length)
  })
})
