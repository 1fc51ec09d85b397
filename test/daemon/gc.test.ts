import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { LocalStore, Manifest } from '../../src/archive/index.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { syncCatalog } from '../../src/daemon/sync.ts'
import { addDump, testArchive } from './archive.ts'

const day = 24 * 3600 * 1000
const policy = { maxAge: null, maxSize: null, keepFree: null }
const ago = (days: number): Date => new Date(Date.now() - days * day)

/** Stores a made-up executable and makes it look old. */
function addBinary(store: LocalStore, directory: string, content: string, age: Date): string {
  const path = join(directory, 'program')
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  const key = store.addBinary({ fd, size: content.length }, {})
  closeSync(fd)
  utimesSync(store.binaryPath(key)!, age, age)
  return key
}

const naming = (key: string): Partial<Manifest> => ({ executable: { key, path: '/srv/api' } })

describe('runGc()', () => {
  it('deletes by age, with the reason, and keeps what is pinned', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const old = addDump(store, { time: ago(40) })
    const pinned = addDump(store, { time: ago(50) })
    const young = addDump(store, { time: ago(1) })
    store.pin(pinned, { time: 'now' })
    await syncCatalog(store, catalog)
    const options = { store, catalog, policy: { ...policy, maxAge: (30 * day) / 1000 } }

    const dry = await runGc({ ...options, dryRun: true })
    assert.deepEqual(
      dry.actions.map(({ kind, name, reason }) => [kind, name, reason]),
      [['dump', old.id, 'older than MaxAge=30d']],
    )
    assert.equal(catalog.list({}).length, 3)

    const result = await runGc(options)
    assert.deepEqual(result, dry)
    assert.ok(result.freed > 0)
    assert.deepEqual([result.kept, result.pinned], [2, 1])
    assert.deepEqual(
      catalog.list({}).map(({ id }) => id),
      [young.id, pinned.id],
    )
    assert.equal(existsSync(store.layout.dump(old)), false)
    assert.deepEqual((await runGc(options)).actions, [])
  })

  it('brings the archive below MaxSize, oldest first', async () => {
    using archive = testArchive()
    const { store } = archive
    const core = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 13))
    const refs = [5, 4, 3, 2, 1].map(days => addDump(store, { time: ago(days), core }))
    const size = store.readManifest(refs[0]!).core.stored_size
    const { used } = store.usage()
    const result = await runGc({ store, policy: { ...policy, maxSize: used - size - 1 } })
    assert.deepEqual(
      result.actions.map(({ name }) => name),
      refs.slice(0, 2).map(({ id }) => id),
    )
    assert.ok(store.usage().used <= used - size - 1)
    assert.match(result.actions[0]!.reason, /the archive takes more than MaxSize=/)
  })

  it('deletes old executables that no dump names, and none while a manifest is unreadable', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    const used = addBinary(store, directory, 'used', ago(3))
    const shared = addBinary(store, directory, 'shared', ago(3))
    const orphan = addBinary(store, directory, 'orphan', ago(3))
    const fresh = addBinary(store, directory, 'just being stored', ago(0))
    addDump(store, { time: ago(40), manifest: naming(shared) })
    addDump(store, { time: ago(1), manifest: naming(used) })
    const damaged = addDump(store, { time: ago(2) })
    writeFileSync(store.layout.file(damaged, 'manifest.json'), 'damage')
    const options = { store, policy: { ...policy, maxAge: (30 * day) / 1000 } }
    assert.deepEqual(
      (await runGc(options)).actions.map(({ kind }) => kind),
      ['dump'],
    )
    rmSync(store.layout.dump(damaged), { recursive: true })
    const result = await runGc(options)
    assert.deepEqual(
      result.actions.map(({ kind, name }) => [kind, name]).sort(),
      [
        ['binary', orphan],
        ['binary', shared],
      ].sort(),
    )
    assert.deepEqual([...store.binaries()].map(({ key }) => key).sort(), [used, fresh].sort())
  })

  it('clears away writes that never ended, once they are old', async () => {
    using archive = testArchive()
    const { store } = archive
    const temporary = join(store.root, 'tmp')
    mkdirSync(temporary, { recursive: true })
    for (const [name, age] of [
      ['old', ago(2)],
      ['new', ago(0)],
    ] as const) {
      writeFileSync(join(temporary, name), 'half')
      utimesSync(join(temporary, name), age, age)
    }
    const cut = addDump(store, { time: ago(9) })
    rmSync(store.layout.file(cut, 'manifest.json'))
    utimesSync(store.layout.file(cut, 'core.lz4'), ago(9), ago(9))
    utimesSync(store.layout.dump(cut), ago(9), ago(9))
    const result = await runGc({ store, policy })
    assert.deepEqual(
      result.actions.map(({ kind, name }) => [kind, name]),
      [
        ['leftover', 'tmp/old'],
        ['leftover', join('dumps', cut.day, cut.id)],
      ],
    )
    assert.ok(statSync(join(temporary, 'new')).isFile())
    assert.equal(existsSync(store.layout.dump(cut)), false)
  })

  it('takes a share of the file system for KeepFree', async () => {
    using archive = testArchive()
    const { store } = archive
    const old = addDump(store, { time: ago(3) })
    const { used, total } = store.usage()
    store.usage = () => ({ used, total, free: Math.floor(total * 0.1) })
    assert.deepEqual((await runGc({ store, policy: { ...policy, keepFree: 0.09 } })).actions, [])
    const { actions } = await runGc({ store, policy: { ...policy, keepFree: 0.11 }, dryRun: true })
    assert.deepEqual(
      actions.map(({ name }) => name),
      [old.id],
    )
    assert.match(actions[0]!.reason, /less than KeepFree=11% free/)
  })

  it('goes on when a deletion fails, and says which', async () => {
    using archive = testArchive()
    const { store } = archive
    const [one, two] = [addDump(store, { time: ago(3) }), addDump(store, { time: ago(2) })]
    const remove = store.remove.bind(store)
    store.remove = ref => {
      if (ref.id === one.id) throw Object.assign(new Error('no'), { code: 'EROFS' })
      remove(ref)
    }
    const result = await runGc({ store, policy: { ...policy, maxAge: 60 } })
    assert.deepEqual(
      result.actions.map(({ name, failed }) => [name, failed]),
      [
        [one.id, 'EROFS'],
        [two.id, undefined],
      ],
    )
    assert.equal(result.kept, 1)
  })
})
