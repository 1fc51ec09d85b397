import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs, {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type DumpRef,
  initializeStore,
  type LocalStore,
  type Manifest,
  openLocalStore,
} from '../../src/archive/index.ts'
import { formatPartNote } from '../../src/archive/part-note.ts'
import { ownIdentity } from '../../src/archive/process-identity.ts'
import { begunIds, recoverDumps } from '../../src/daemon/recover.ts'
import { isFinding, verify } from '../../src/daemon/verify.ts'
import { addDump, coreOf, makeUnlistable, testArchive } from './archive.ts'

const minute = 60_000
const machineId = readFileSync('/etc/machine-id', 'utf8').trim()
const content = randomBytes(300_000)

/** A core of noise behind its headers, which promise as much; or of a part of one that had `whole` bytes. */
const elfCore = (whole?: number): Buffer =>
  coreOf(content, whole === undefined ? undefined : formatPartNote(whole))

/** What a handler leaves that is killed, last at work so many minutes ago. */
function abandon(
  store: LocalStore,
  minutesAgo: number,
  machine = machineId,
  left: 'part' | 'core' | 'none' = 'part',
  bytes: Buffer = content,
): DumpRef {
  const host = { name: hostname(), machine_id: machine }
  const ref = addDump(store, { core: bytes, manifest: { host } })
  const path = (name: string): string => store.layout.file(ref, name)
  const core = { state: 'truncated', reason: 'handler-error', raw_size: 0, stored_size: 0 } as const
  writeFileSync(path('pending.json'), JSON.stringify({ ...store.readManifest(ref), core }))
  rmSync(path('manifest.json'))
  if (left === 'part') {
    renameSync(path('core.lz4'), path('core.lz4.part'))
    truncateSync(path('core.lz4.part'), 200_000)
  }
  if (left === 'none') rmSync(path('core.lz4'))
  const then = new Date(Date.now() - minutesAgo * minute)
  for (const name of ['', 'pending.json', 'core.lz4', 'core.lz4.part'])
    if (existsSync(join(store.layout.dump(ref), name)))
      utimesSync(join(store.layout.dump(ref), name), then, then)
  return ref
}

const longAgo = { booted: 0 }

/** What is synced and renamed meanwhile, in its order; the calls are made all the same. */
function callsDuring(work: () => void): string[] {
  const calls: string[] = []
  const { fsyncSync, renameSync } = fs
  fs.fsyncSync = fd => {
    calls.push(`fsync ${basename(readlinkSync(`/proc/self/fd/${fd}`))}`)
    fsyncSync(fd)
  }
  fs.renameSync = (from, to) => {
    calls.push(`rename ${basename(String(to))}`)
    renameSync(from, to)
  }
  syncBuiltinESMExports()
  try {
    work()
  } finally {
    Object.assign(fs, { fsyncSync, renameSync })
    syncBuiltinESMExports()
  }
  return calls
}

/** Does `work` while the nth read of a core fails; answers whether it came to that. */
function failingRead(nth: number, work: () => void): boolean {
  const { readSync } = fs
  let left = nth
  fs.readSync = ((fd: number, ...rest: [Buffer]) => {
    if (basename(readlinkSync(`/proc/self/fd/${fd}`)) === 'core.lz4' && --left === 0)
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5 })
    return readSync(fd, ...rest)
  }) as typeof readSync
  syncBuiltinESMExports()
  try {
    work()
  } finally {
    Object.assign(fs, { readSync })
    syncBuiltinESMExports()
  }
  return left <= 0
}

describe('recoverDumps()', () => {
  it('lists what came of the core as a truncated dump, which verify finds sound', () => {
    using archive = testArchive()
    const { store } = archive
    const ref = abandon(store, 90)
    assert.deepEqual(
      recoverDumps(store, longAgo).map(({ ref: { id } }) => id),
      [ref.id],
    )
    const { core, notes, process } = store.readManifest(ref)
    assert.deepEqual([core.state, core.reason, process.comm], ['truncated', 'handler-error', 'api'])
    assert.ok(core.raw_size > 100_000 && core.raw_size < content.length, String(core.raw_size))
    assert.match(notes.at(-1)!, /handler was killed/)
    assert.equal(existsSync(store.layout.file(ref, 'pending.json')), false)
    assert.deepEqual(
      [...verify({ store })].filter(isFinding).filter(({ severity }) => severity === 'problem'),
      [],
    )
    assert.deepEqual(recoverDumps(store, longAgo), [])
  })

  it('lists what a power cut has left of one whose facts are damaged, and root alone may read it', () => {
    using archive = testArchive()
    const { store } = archive
    const dumps = [abandon(store, 90), abandon(store, 90, machineId, 'none'), abandon(store, 90)]
    const pending = (ref: DumpRef): string => store.layout.file(ref, 'pending.json')
    for (const [i, ref] of dumps.entries()) {
      const then = statSync(pending(ref)).mtime
      truncateSync(pending(ref), i * 40)
      utimesSync(pending(ref), then, then)
    }
    assert.deepEqual(recoverDumps(store, longAgo), [], 'of this boot the kernel log tells')
    const recovered = recoverDumps(store, { booted: Date.now() - 80 * minute })
    assert.deepEqual(new Set(recovered.map(({ ref: { id } }) => id)), new Set(dumps.map(({ id }) => id)))
    const [cut, none] = dumps.map(ref => store.readManifest(ref))
    assert.equal(cut?.core.state, 'truncated')
    assert.ok(cut.core.raw_size > 100_000)
    assert.equal(none?.core.state, 'none')
    assert.match(none.notes[0]!, /What the handler had written of the crash is damaged: not JSON/)
    assert.ok(Math.abs(Date.parse(none.time) - Date.now() + 90 * minute) < minute)
    assert.equal(statSync(store.layout.file(dumps[0]!, 'manifest.json')).mode & 0o077, 0)
    const problems = [...verify({ store })].filter(isFinding).filter(({ severity }) => severity === 'problem')
    assert.deepEqual(problems, [])
  })

  it('knows a core that was whole, and one that never began', () => {
    using archive = testArchive()
    const { store } = archive
    const [whole, none] = [abandon(store, 90, machineId, 'core'), abandon(store, 90, machineId, 'none')]
    assert.equal(recoverDumps(store, longAgo).length, 2)
    assert.equal(store.readManifest(whole).core.raw_size, content.length)
    assert.equal(store.readManifest(none).core.state, 'none')
  })

  it('calls one complete whose handler was killed behind its last byte, and tells of another how long it was to be', () => {
    using archive = testArchive()
    const { store } = archive
    const bytes = elfCore()
    const [whole, cut] = (['core', 'part'] as const).map(left => abandon(store, 90, machineId, left, bytes))
    assert.equal(recoverDumps(store, longAgo).length, 2)
    const { state, raw_size, expected_size, reason, detail } = store.readManifest(whole!).core
    assert.deepEqual([state, raw_size, expected_size], ['complete', bytes.length, bytes.length])
    assert.deepEqual([reason, detail], [undefined, undefined])
    const { core } = store.readManifest(cut!)
    assert.deepEqual(
      [core.state, core.reason, core.expected_size],
      ['truncated', 'handler-error', bytes.length],
    )
    assert.deepEqual(
      [...verify({ store })].filter(isFinding).filter(({ severity }) => severity === 'problem'),
      [],
    )
  })

  it('has the core on the disk before there is a manifest', () => {
    using archive = testArchive()
    const spool = openLocalStore(join(archive.directory, 'spool'))
    initializeStore(spool)
    const rest = abandon(spool, 90)
    const pending = spool.layout.file(rest, 'pending.json')
    const facts = JSON.parse(readFileSync(pending, 'utf8')) as Manifest
    const continues = { archive: archive.store.root, at: 1 << 20 }
    writeFileSync(pending, JSON.stringify({ ...facts, core: { ...facts.core, continues } }))
    utimesSync(pending, 0, 0)
    abandon(archive.store, 90, machineId, 'core', elfCore())
    abandon(archive.store, 90)
    for (const store of [archive.store, spool]) {
      const calls = callsDuring(() => recoverDumps(store, longAgo))
      const manifests = calls.flatMap((call, i) => (call === 'rename manifest.json' ? [i] : []))
      assert.equal(manifests.length, store === spool ? 1 : 2)
      let from = 0
      for (const at of manifests) {
        assert.ok(calls.slice(from, at).includes('fsync core.lz4'), calls.join('\n'))
        from = at
      }
    }
  })

  it('leaves a core for the next time that can’t be read this time, be it in one place', () => {
    const whole = elfCore()
    const later = { booted: 0, now: Date.now() + 120 * minute }
    for (const damage of [() => {}, (path: string) => writeFileSync(path, randomBytes(7), { flag: 'r+' })]) {
      let nth = 1
      for (let failed = true; failed; nth++) {
        using archive = testArchive()
        const { store } = archive
        const ref = abandon(store, 90, machineId, 'core', whole)
        damage(store.layout.file(ref, 'core.lz4'))
        failed = failingRead(nth, () => void recoverDumps(store, later))
        assert.equal([...store.list()].length, failed ? 0 : 1, `read ${nth}`)
        recoverDumps(store, later)
        const { core } = store.readManifest(ref)
        assert.deepEqual([core.state, core.raw_size, core.lost_size], ['complete', whole.length, undefined])
      }
      assert.ok(nth > 3, `${nth}`)
    }
  })

  it('does not call a part of a core complete', () => {
    using archive = testArchive()
    const { store } = archive
    const ref = abandon(store, 90, machineId, 'core', elfCore(5_000_000))
    assert.equal(recoverDumps(store, longAgo).length, 1)
    const { core } = store.readManifest(ref)
    assert.deepEqual([core.state, core.expected_size], ['truncated', 5_000_000])
  })

  it('passes over a day that can’t be listed', () => {
    using archive = testArchive()
    const { store } = archive
    const ref = abandon(store, 90)
    const hidden = addDump(store, { time: new Date() })
    const other = store.layout.day('2026/11/02')
    addDump(store, { time: new Date('2026-11-02T10:00:00Z') })
    makeUnlistable(other)
    const told: string[] = []
    const onUnlisted = (directory: string): void => void told.push(directory)
    const known = (): string[] => [hidden.id]
    const recovered = recoverDumps(store, { ...longAgo, known, onUnlisted })
    assert.deepEqual(
      recovered.map(({ ref: { id } }) => id),
      [ref.id],
    )
    assert.deepEqual(told, [other])
  })

  const cases: [what: string, minutesAgo: number, machine: string, booted: number, recovers: boolean][] = [
    ['leaves a handler that may be at work', 50, machineId, 0, false],
    ['takes what lies since before the boot', 10, machineId, Date.now() - 5 * minute, true],
    ["leaves another machine's for a day", 23 * 60, 'another', Date.now(), false],
    ["takes another machine's after a day", 25 * 60, 'another', 0, true],
  ]
  for (const [what, minutesAgo, machine, booted, recovers] of cases)
    it(what, () => {
      using archive = testArchive()
      abandon(archive.store, minutesAgo, machine)
      assert.equal(recoverDumps(archive.store, { booted }).length, recovers ? 1 : 0)
    })

  it('leaves what a machine with the same machine-id is at, be it one of the same name', () => {
    const now = Date.now()
    const cases: [host: Partial<Manifest['host']>, minutesAgo: number, own: boolean, recovers: boolean][] = [
      [{ boot_id: 'remembered' }, 0, false, true],
      [{ name: 'web-2', boot_id: 'remembered' }, 0, false, false],
      [{ name: 'web-2', boot_id: 'another' }, 0, false, false],
      [{ name: 'web-2', boot_id: 'another' }, 5, false, false],
      [{ boot_id: 'another' }, 0, false, false],
      [{ boot_id: 'another' }, 5, false, true],
      [{ name: 'before it was renamed', boot_id: 'another' }, 0, true, true],
    ]
    for (const [host, minutesAgo, own, recovers] of cases) {
      using archive = testArchive()
      const { store } = archive
      const ref = abandon(store, minutesAgo)
      const pending = store.layout.file(ref, 'pending.json')
      const then = statSync(pending).mtime
      const manifest = JSON.parse(readFileSync(pending, 'utf8')) as Manifest
      writeFileSync(pending, JSON.stringify({ ...manifest, host: { ...manifest.host, ...host } }))
      for (const path of [pending, store.layout.dump(ref)]) utimesSync(path, then, then)
      const boots = new Set(['remembered'])
      const options = { own, boots, booted: now - 2 * minute, watched: new Map() }
      assert.equal(recoverDumps(store, options).length, recovers ? 1 : 0, JSON.stringify([host, minutesAgo]))
    }
  })

  it('takes what a dead handler left whose number is another process now', () => {
    using archive = testArchive()
    const { store } = archive
    const own = ownIdentity()
    for (const [started, recovered] of [
      [own.started!, 0],
      [own.started! - 1, 1],
    ] as const) {
      const ref = abandon(store, 0)
      const pending = store.layout.file(ref, 'pending.json')
      const manifest = JSON.parse(readFileSync(pending, 'utf8')) as Record<string, unknown>
      writeFileSync(pending, JSON.stringify({ ...manifest, handler: { ...own, started } }))
      assert.equal(recoverDumps(store, longAgo).length, recovered)
    }
  })

  it('says so where it can not', () => {
    using archive = testArchive()
    const ref = abandon(archive.store, 90)
    const inTheWay = archive.store.layout.file(ref, 'core.lz4')
    mkdirSync(inTheWay)
    for (const path of [inTheWay, archive.store.layout.dump(ref)]) utimesSync(path, 0, 0)
    assert.match(recoverDumps(archive.store, longAgo)[0]!.what, /can't be recovered: EISDIR/)
    assert.deepEqual(recoverDumps(archive.store, { ...longAgo, known: () => [ref.id] }), [])
  })
})

describe('begunIds()', () => {
  it('knows finished dumps and those in the making, and no directory that nothing was said in', () => {
    using archive = testArchive()
    const { store } = archive
    const [finished, begun, torn, empty] = [
      addDump(store),
      abandon(store, 0),
      abandon(store, 0),
      abandon(store, 0),
    ]
    truncateSync(store.layout.file(torn, 'pending.json'), 100)
    rmSync(store.layout.file(empty, 'pending.json'))
    assert.deepEqual([...begunIds(store)].sort(), [finished.id, begun.id].sort())
  })
})
