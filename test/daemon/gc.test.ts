import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs, {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type DumpRef,
  initializeStore,
  type LocalStore,
  type Manifest,
  openLocalStore,
} from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { defaultConfig } from '../../src/config/index.ts'
import { type GcResult, runGc } from '../../src/daemon/gc.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { leastToShrink, type ShrinkOutcome, shrinker } from '../../src/daemon/shrink.ts'
import { reindex, syncCatalog, syncDump } from '../../src/daemon/sync.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { mountTmpfs } from '../support/tmpfs.ts'
import { addDump, addExecutable, makeOld, makeUnlistable, report, testArchive } from './archive.ts'

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
    // More than one of them gives back, with its manifest and what files have of disk beyond their bytes.
    const maxSize = store.usage().used - size - 16 * 1024
    const result = await runGc({ store, policy: { ...policy, maxSize } })
    assert.deepEqual(
      result.actions.map(({ name }) => name),
      refs.slice(0, 2).map(({ id }) => id),
    )
    assert.ok(store.usage().used <= maxSize)
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

  it('puts an executable back that a handler has found there in the last moment', async t => {
    using archive = testArchive()
    const { store, directory } = archive
    const [wanted, gone] = ['wanted', 'gone'].map(content => addBinary(store, directory, content, ago(3)))
    const remove = store.removeBinary.bind(store)
    t.mock.method(store, 'removeBinary', (key: string, isOld: (mtime: Date) => boolean) => {
      // By another machine's gc, and by a handler.
      if (key === gone) remove(key)
      else addBinary(store, directory, 'wanted', ago(0))
      return remove(key, isOld)
    })
    const { actions, freed } = await runGc({ store, policy })
    assert.deepEqual(
      actions.map(({ name, failed, kept }) => [name, failed, kept]).sort(),
      [
        [wanted, 'a dump has come that names it', true],
        [gone, 'ENOENT', true],
      ].sort(),
    )
    assert.equal(freed, 0)
    assert.deepEqual(
      [...store.binaries()].map(({ key }) => key),
      [wanted],
    )
  })

  it('lets a handler store an executable anew that gc takes away in the last moment', t => {
    using archive = testArchive()
    const { store, directory } = archive
    const key = addBinary(store, directory, 'wanted', ago(3))
    const touch = fs.utimesSync
    t.mock.method(fs, 'utimesSync', (...args: Parameters<typeof touch>) => {
      store.removeBinary(key)
      touch(...args)
    })
    syncBuiltinESMExports()
    const path = join(directory, 'program')
    const fd = openSync(path, 'r')
    try {
      assert.equal(store.addBinary({ fd, size: 6 }), key)
    } finally {
      closeSync(fd)
      t.mock.restoreAll()
      syncBuiltinESMExports()
    }
    assert.ok(store.binaryPath(key))
  })

  it('keeps the executable of a dump that is brought home meanwhile', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    const spool = openLocalStore(join(directory, 'spool'))
    initializeStore(spool)
    const key = addBinary(store, directory, 'the program', ago(3))
    const late = addBinary(store, directory, 'another program', ago(3))
    const orphan = addBinary(store, directory, 'needed no more', ago(3))
    addBinary(spool, directory, 'the program', ago(3))
    const own = naming(addBinary(store, directory, 'the program of the big one', ago(3)))
    const big = addDump(store, { time: ago(99), core: randomBytes(2 * leastToShrink), manifest: own })
    store.writeReport(big, JSON.stringify(report()))
    const ref = addDump(spool, { manifest: naming(key) })
    const { actions } = await runGc({
      ...{ store, policy: { ...policy, shrinkAfter: day / 1000 } },
      shrink: async () => {
        assert.deepEqual(await shipSpool(spool, store), [{ ref }])
        // Storage may let nobody but the owner make it young.
        utimesSync(store.binaryPath(key)!, ago(3), ago(3))
        addDump(store, { manifest: naming(late) })
        return { state: 'kept', reason: 'so' }
      },
    })
    assert.deepEqual(
      actions.map(({ kind, name }) => [kind, name]),
      [
        ['dump', big.id],
        ['binary', orphan],
      ],
    )
    assert.deepEqual([...verify({ store })].filter(isFinding), [])
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

  it('passes over a day that can’t be listed, and deletes no executable that may be named there', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    const named = addBinary(store, directory, 'named', ago(3))
    const [old, hidden, older] = [40, 41, 42].map(days =>
      addDump(store, { time: ago(days), manifest: naming(named) }),
    )
    makeUnlistable(store.layout.day(hidden!.day))
    const told: string[] = []
    const { actions } = await runGc({
      ...{ store, policy: { ...policy, maxAge: (30 * day) / 1000 } },
      onUnlisted: (_, error) => told.push(error.message),
    })
    assert.deepEqual(
      actions.map(({ name }) => name),
      [older!.id, old!.id],
    )
    assert.deepEqual([...new Set(told)], [`Cannot list ${store.layout.day(hidden!.day)}: ELOOP`])
    assert.ok(store.binaryPath(named))
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

  it('deletes another one where the oldest is not to be deleted', async () => {
    using archive = testArchive()
    const { store } = archive
    const [one, two, three] = [3, 2, 1].map(days => addDump(store, { time: ago(days) }))
    const remove = store.remove.bind(store)
    store.remove = ref => {
      if (ref.id === one!.id) throw Object.assign(new Error('no'), { code: 'EIO' })
      remove(ref)
    }
    const size = store.readManifest(two!).core.stored_size
    const { used } = store.usage()
    const result = await runGc({ store, policy: { ...policy, maxSize: used - size } })
    assert.deepEqual(
      result.actions.map(({ name, failed }) => [name, failed]),
      [
        [one!.id, 'EIO'],
        [two!.id, undefined],
      ],
    )
    assert.ok(existsSync(store.layout.dump(three!)))
  })
})

describe('runGc() of what does not shrink', () => {
  const core = randomBytes(400_000)
  const { analysis } = defaultConfig()

  /** So many dumps, each one of its kind, the first the oldest. */
  function fill(store: LocalStore, count: number): DumpRef[] {
    return Array.from({ length: count }, (_, n) => {
      const ref = addDump(store, { time: ago(20 + count - n), core, manifest: addExecutable(store) })
      store.writeReport(ref, JSON.stringify(report({ signature: { key: `${n}`, text: 'x' } })))
      return ref
    })
  }

  const done = ({ actions }: GcResult): string[] =>
    actions.map(({ action, name, failed }) => `${action} ${name} ${failed}`)

  it('deletes the oldest of an archive that is too full to shrink in', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    using archive = testArchive()
    const { store } = archive
    using _disk = mountTmpfs(store.root, 'size=9m,mode=755')
    initializeStore(store)
    makeOld(store)
    const [oldest, next] = fill(store, 16)
    assert.throws(() => writeFileSync(join(store.root, 'filler'), Buffer.alloc(16 << 20)), /ENOSPC/)
    assert.equal(store.usage().free, 0)
    const options = {
      ...{ store, policy: { ...policy, keepFree: 0.05, shrinkAfter: day / 1000 } },
      shrink: shrinker(store, new Leases(store), { analysis }),
      leases: new Leases(store),
    }
    const result = await runGc(options)
    assert.equal(result.actions.length, 3)
    assert.match(done(result)[0]!, /^shrink [a-z2-7]+ ENOSPC$/)
    assert.deepEqual(done(result).slice(1), [
      `delete ${oldest!.id} undefined`,
      `delete ${next!.id} undefined`,
    ])
    const { free, total } = store.usage()
    assert.ok(free >= total * 0.05, `${free} of ${total}`)
  })

  it('deletes the oldest of an archive that fills up while it is at work', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    using archive = testArchive()
    const { store } = archive
    using _disk = mountTmpfs(store.root, 'size=9m,mode=755')
    initializeStore(store)
    makeOld(store)
    const [oldest] = fill(store, 6)
    for (const ref of fill(store, 2)) store.writeReport(ref, JSON.stringify(report()))
    const shrink = async (): Promise<ShrinkOutcome> => {
      assert.throws(() => writeFileSync(join(store.root, 'filler'), Buffer.alloc(16 << 20)), /ENOSPC/)
      throw Object.assign(new Error('full'), { errno: -28, code: 'ENOSPC' })
    }
    const limits = { ...policy, keepFree: 0.03, keepLatest: 1, shrinkAfter: day / 1000 }
    assert.deepEqual(done(await runGc({ store, policy: limits, shrink })).slice(1), [
      `delete ${oldest!.id} undefined`,
    ])
  })

  it('deletes the oldest where inodes are used up, not bytes', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    using archive = testArchive()
    const { store } = archive
    using _disk = mountTmpfs(store.root, 'size=64m,nr_inodes=100,mode=755')
    initializeStore(store)
    makeOld(store)
    store.now()
    const add = (n: number): DumpRef =>
      addDump(store, { time: new Date(Date.now() - 1e8 + 1e6 * n), core: null })
    const refs = [add(0)]
    store.pin(refs[0]!, { time: 'now' })
    assert.throws(() => {
      for (;;) refs.push(add(refs.length))
    }, /ENOSPC/)
    for (let n = 0; !store.isFull(); n++) writeFileSync(join(store.root, `${n}`), '')
    const rules = { ...policy, keepFree: 0.05 }
    assert.deepEqual((await runGc({ store, policy: { ...rules, keepFree: 0 } })).actions, [])
    const oldest = refs.slice(1, 1 + Math.ceil((refs.length - 1) / 20))
    assert.deepEqual(
      done(await runGc({ store, policy: rules })),
      oldest.map(({ id }) => `delete ${id} undefined`),
    )
    assert.equal(store.isFull(), false)
    assert.deepEqual((await runGc({ store, policy: rules })).actions, [])
  })

  it('fails at nothing for being told to stop', async () => {
    using archive = testArchive()
    const { store } = archive
    fill(store, 3)
    const stop = new AbortController()
    const shrink = async (): Promise<ShrinkOutcome> => {
      stop.abort()
      return { state: 'kept', reason: 'it was interrupted' }
    }
    const limits = { ...policy, keepFirst: 0, keepLatest: 0, shrinkAfter: day / 1000 }
    const { actions } = await runGc({ store, policy: limits, shrink, signal: stop.signal })
    assert.deepEqual(
      actions.map(({ failed, kept }) => [failed, kept]),
      [['it was interrupted', true]],
    )
  })

  it('deletes in its place what is kept as it is', async () => {
    using archive = testArchive()
    const { store } = archive
    const [one, two, three] = fill(store, 3)
    const { used } = store.usage()
    const limits = { ...policy, maxSize: used - core.length, keepFirst: 1, shrinkAfter: day / 1000 }
    const kept = async (): Promise<ShrinkOutcome> => ({ state: 'kept', reason: 'so' })
    const result = await runGc({ store, policy: limits, shrink: kept })
    assert.deepEqual(done(result).sort(), [
      `delete ${one!.id} undefined`,
      ...[one, two, three].map(ref => `shrink ${ref!.id} so`).sort(),
    ])
    assert.equal(result.kept, 2)
    assert.deepEqual(done(await runGc({ store, policy: limits, shrink: kept })), [])
  })

  it('deletes nothing for the sake of what another machine shrinks or deletes at that moment', async () => {
    using archive = testArchive()
    const { store } = archive
    const [one, two, three] = fill(store, 3)
    const leases = new Leases(store)
    using _ours = leases.take(one!.id)
    const theirs = shrinker(store, new Leases(store), { analysis })
    const { used } = store.usage()
    const options = {
      policy: { ...policy, maxSize: used - 1.5 * core.length, keepFirst: 1, shrinkAfter: day / 1000 },
      shrink: async (ref: DumpRef, reason: string): Promise<ShrinkOutcome> => {
        if (ref.id === two!.id) store.remove(ref)
        return await theirs(ref, reason)
      },
    }
    assert.deepEqual(done(await runGc({ store, ...options })), [
      `shrink ${one!.id} somebody else has it in hand`,
      `shrink ${two!.id} Dump ${two!.id} has no manifest`,
    ])
    assert.ok(existsSync(store.layout.dump(three!)))
  })
})

describe('runGc() of a mixed archive', () => {
  const core = randomBytes(2 * leastToShrink)
  const { analysis } = defaultConfig()

  /** Analysed dumps of two programs and three kinds, pinned and held ones, and what belongs to no dump. */
  function fill(store: LocalStore, directory: string): void {
    const add = (days: number, kind: string, exe: string, manifest: Partial<Manifest> = {}): DumpRef => {
      const facts = { pid: 1, uid: 33, gid: 33, comm: 'x', exe }
      const own = { process: facts, ...addExecutable(store), ...manifest }
      const ref = addDump(store, { time: ago(days), core, manifest: own })
      store.writeReport(ref, JSON.stringify(report({ signature: { key: kind, text: kind } })))
      return ref
    }
    for (const days of [90, 41, 40, 12, 11, 10, 9, 8, 0.2, 0.1]) add(days, 'nil map', '/srv/api')
    for (const days of [7, 6, 5, 4, 3]) add(days, 'deadlock', '/srv/billing')
    add(95, 'nil map', '/srv/api', { hold: { by: 'ada', time: '2026-11-01T00:00:00Z' } })
    add(14, 'nil map', '/srv/api', { hold: { by: 'ada', time: '2026-11-01T00:00:00Z' } })
    store.pin(add(13, 'nil map', '/srv/api'), { time: 'now' })
    store.pin(add(96, 'index', '/srv/billing'), { time: 'now' })
    addDump(store, { time: ago(20), core })
    addDump(store, { time: ago(21), core: null })
    addBinary(store, directory, 'nobody needs it', ago(3))
    const stray = store.layout.file(add(2, 'index', '/srv/billing'), 'core.lz4.age.part')
    writeFileSync(stray, 'cut')
    utimesSync(stray, ago(2), ago(2))
  }

  it('does what --dry-run says, in its order, and reindex then finds nothing to mend', async () => {
    using archive = testArchive()
    const { store, directory } = archive
    fill(store, directory)
    const catalog = openCatalog(':memory:')
    await syncCatalog(store, catalog)
    const program = join(import.meta.dirname, 'children/shrunk.ts')
    const shrink = shrinker(store, new Leases(store), { analysis, program })
    const { used } = store.usage()
    const options = {
      ...{ store, catalog, now: Date.now() },
      shrink: async (ref: DumpRef, reason: string): Promise<ShrinkOutcome> => {
        const outcome = await shrink(ref, reason)
        syncDump(store, catalog, ref)
        return outcome
      },
      policy: {
        ...{ maxAge: (60 * day) / 1000, maxSize: used - 16 * core.length, keepFree: null },
        ...{ keepFirst: 1, keepLatest: 2, shrinkAfter: day / 1000 },
        ...{ programMaxCount: 11, programMaxSize: 5 * core.length },
      },
    }
    const list = ({ actions }: GcResult): string[] =>
      actions.map(({ action, kind, name, reason, failed }) => `${action} ${kind} ${name} ${reason} ${failed}`)
    const files = (): string[] => readdirSync(store.root, { recursive: true, encoding: 'utf8' }).sort()
    const before = files()
    const dry = await runGc({ ...options, dryRun: true })
    assert.deepEqual(files(), before)
    const told = list(dry)
    for (const rule of [
      'MaxAge',
      'KeepFirst',
      'ProgramMaxCount',
      'ProgramMaxSize',
      'MaxSize',
      'no dump names',
      'never ended',
    ])
      assert.ok(
        told.some(line => line.includes(rule)),
        `${rule}: ${told.join('\n')}`,
      )

    const real = await runGc(options)
    assert.deepEqual(list(real), told)
    assert.deepEqual([real.kept, real.pinned, real.held], [dry.kept, dry.pinned, dry.held])
    assert.deepEqual([real.pinned, real.held], [2, 2])
    for (const { action, kind, name } of real.actions.filter(({ kind }) => kind === 'dump')) {
      const row = catalog.get(name)
      assert.equal(row?.shrunk, action === 'shrink' ? true : undefined, `${action} ${kind} ${name}`)
    }
    assert.deepEqual([...verify({ store, catalog })].filter(isFinding), [])

    const fresh = openCatalog(':memory:')
    await reindex(store, fresh)
    assert.deepEqual(fresh.list({}), catalog.list({}))
    assert.equal(fresh.list({}).filter(({ held }) => held).length, 2)
  })

  it('keeps what is pinned, put on hold or in hand while it works, and what another one deleted, without a failure', async () => {
    using archive = testArchive()
    const { store } = archive
    const [first, pinned, held, inHand, gone] = [9, 8, 7, 6, 5].map(days =>
      addDump(store, { time: ago(days) }),
    )
    const others = new Leases(store)
    using _lease = others.take(inHand!.id)
    const remove = store.remove.bind(store)
    store.remove = ref => {
      if (ref.id === first!.id) {
        store.pin(pinned!, { time: 'now' })
        store.changeManifest(held!, rest => ({ ...rest, hold: { by: 'ada', time: '2026-11-01T00:00:00Z' } }))
        remove(gone!)
      }
      remove(ref)
    }
    const leases = new Leases(store)
    const { actions, kept } = await runGc({ store, leases, policy: { ...policy, maxAge: 60 } })
    const told = new Map(actions.map(({ name, failed, kept }) => [name, [failed, kept]]))
    assert.deepEqual(told.get(first!.id), [undefined, undefined])
    assert.deepEqual(told.get(pinned!.id), ['it was pinned just now', true])
    assert.match(String(told.get(held!.id)![0]), /on hold by ada/)
    assert.deepEqual(told.get(inHand!.id), ['somebody else has it in hand', true])
    assert.deepEqual(
      [held, gone].map(ref => told.get(ref!.id)![1]),
      [true, true],
    )
    assert.equal(kept, 4)
    assert.deepEqual(readdirSync(join(store.root, 'leases')), [`${inHand!.id}.1`])
  })

  it('deletes nothing in the place of what another machine has in hand', async () => {
    using archive = testArchive()
    const { store } = archive
    const [oldest, next] = [9, 8].map(days => addDump(store, { time: ago(days) }))
    using _lease = new Leases(store).take(oldest!.id)
    const options = {
      store,
      leases: new Leases(store),
      policy: { ...policy, maxSize: store.usage().used - 1 },
    }
    const { actions } = await runGc(options)
    assert.deepEqual(
      actions.map(({ name }) => name),
      [oldest!.id],
    )
    assert.ok(existsSync(store.layout.dump(next!)))
  })

  it('reads no other pin for each dump that it deletes', async () => {
    using archive = testArchive()
    const { store } = archive
    for (let n = 0; n < 20; n++) addDump(store, { time: ago(99), core: null })
    let reads = 0
    const readPins = store.readPins.bind(store)
    store.readPins = () => {
      reads++
      return readPins()
    }
    const catalog = openCatalog(':memory:')
    assert.equal((await runGc({ store, catalog, policy: { ...policy, maxAge: 60 } })).actions.length, 20)
    syncDump(store, catalog, addDump(store))
    assert.equal(reads, 1)
  })

  it('neither deletes nor shrinks what is on hold, whoever asks', async () => {
    using archive = testArchive()
    const { store } = archive
    const hold = { by: 'ada', time: '2026-11-01T00:00:00Z', reason: 'case 7' }
    const ref = addDump(store, { time: ago(900), core, manifest: { hold } })
    const all = { ...policy, maxAge: 0, maxSize: 0, programMaxCount: 0, programMaxSize: 0, shrinkAfter: 0 }
    const { actions, held } = await runGc({ store, policy: all })
    assert.deepEqual([actions, held], [[], 1])
    assert.throws(() => store.remove(ref), /on hold by ada since 2026-11-01 \(case 7\)/)
    store.changeManifest(ref, ({ hold: _, ...rest }) => rest)
    store.remove(ref)
    assert.deepEqual([...store.list()], [])
  })
})
