/** How much retention deletes: what a limit asks for, whatever the room is taken by. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { DumpRef, LocalStore, Manifest } from '../../src/archive/index.ts'
import type { RetentionPolicy } from '../../src/archive/retention.ts'
import { type GcResult, runGc } from '../../src/daemon/gc.ts'
import { addDump, report, testArchive } from './archive.ts'

const [K, M, hour] = [1 << 10, 1 << 20, 3600e3]
const none: RetentionPolicy = { maxAge: null, maxSize: null, keepFree: null }

/** An executable of so many bytes, five days old, for a manifest. */
function addBinary(store: LocalStore, size: number): Pick<Manifest, 'executable'> {
  const path = join(store.root, '..', 'program')
  writeFileSync(path, randomBytes(size))
  const fd = openSync(path, 'r')
  const key = store.addBinary({ fd, size }, {})
  closeSync(fd)
  const age = new Date(Date.now() - 120 * hour)
  utimesSync(store.binaryPath(key)!, age, age)
  return { executable: { key, path: '/srv/api' } }
}

/** So many dumps, an hour between them, the first the oldest. */
const fill = (store: LocalStore, count: number, core: number, rest: () => Partial<Manifest> = () => ({})) =>
  Array.from({ length: count }, (_, i) =>
    addDump(store, {
      time: new Date(Date.now() - (40 - i) * hour),
      core: core === 0 ? null : randomBytes(core),
      manifest: rest(),
    }),
  )

const deleted = ({ actions }: GcResult): string[] =>
  actions.flatMap(({ kind, name }) => (kind === 'dump' ? [name] : []))

interface Case {
  readonly what: string
  readonly fill: (store: LocalStore) => DumpRef[]
  /** Bytes of disk that are too much. */
  readonly over: number
  /** How many of the oldest go. */
  readonly goes: number
}

const cases: readonly Case[] = [
  {
    what: 'executables that one dump alone names',
    fill: store => fill(store, 20, 200 * K, () => addBinary(store, 4 * M)),
    over: 4 * M,
    goes: 1,
  },
  {
    what: 'an executable that several dumps name',
    fill(store) {
      const shared = addBinary(store, 4 * M)
      return [...fill(store, 3, 200 * K, () => shared), addDump(store, { core: randomBytes(2 * M) })]
    },
    over: 4 * M,
    goes: 3,
  },
  {
    what: 'reports',
    fill(store) {
      const refs = fill(store, 20, 200 * K)
      for (const ref of refs) store.writeReport(ref, JSON.stringify(report()) + ' '.repeat(2 * M))
      return refs
    },
    over: 3 * M,
    goes: 2,
  },
  {
    what: 'executables that no dump names',
    fill(store) {
      for (let i = 0; i < 3; i++) addBinary(store, 4 * M)
      return fill(store, 10, 400 * K)
    },
    over: 3 * M,
    goes: 0,
  },
  {
    what: 'records without a core',
    fill: store => [...fill(store, 20, 0), addDump(store, { core: randomBytes(M) })],
    over: 40 * K,
    goes: 10,
  },
]

describe('runGc() deletes as much as MaxSize asks for, of an archive that is full of', () => {
  for (const { what, fill, over, goes } of cases)
    it(what, async () => {
      using archive = testArchive()
      const { store } = archive
      const refs = fill(store)
      const { used } = store.usage()
      const limit = used - over
      const options = { store, policy: { ...none, maxSize: limit } }
      const dry = await runGc({ ...options, dryRun: true })
      const real = await runGc(options)
      assert.deepEqual(real, dry)
      assert.deepEqual(
        deleted(real),
        refs.slice(0, goes).map(({ id }) => id),
      )
      const after = store.usage().used
      assert.ok(after <= limit, `${after} of ${limit}`)
      assert.equal(real.freed, used - after)
      assert.deepEqual((await runGc(options)).actions, [])
    })
})

describe('runGc() deletes as much as it must', () => {
  it('for KeepFree', async () => {
    using archive = testArchive()
    const { store } = archive
    const refs = fill(store, 5, 200 * K, () => addBinary(store, 4 * M))
    // Of what is free others may take and give back some meanwhile.
    const { free, total } = store.usage()
    store.usage = used => ({ used: used ?? 0, free, total })
    const policy = { ...none, keepFree: free + 6 * M }
    assert.deepEqual(
      deleted(await runGc({ store, policy, dryRun: true })),
      refs.slice(0, 2).map(({ id }) => id),
    )
  })

  it('for ProgramMaxSize, which counts reports as it counts cores', async () => {
    using archive = testArchive()
    const { store } = archive
    const refs = fill(store, 5, 200 * K)
    for (const ref of refs) store.writeReport(ref, JSON.stringify(report()) + ' '.repeat(2 * M))
    const policy = { ...none, programMaxSize: 7 * M }
    assert.deepEqual(
      deleted(await runGc({ store, policy })),
      refs.slice(0, 2).map(({ id }) => id),
    )
  })

  it('and counts once what a cut write left in a dump that goes as well', async () => {
    using archive = testArchive()
    const { store } = archive
    const refs = fill(store, 3, 200 * K)
    const stray = store.layout.file(refs[0]!, 'core.lz4.age.part')
    writeFileSync(stray, randomBytes(M))
    utimesSync(stray, 1e9, 1e9)
    const options = { store, policy: { ...none, maxSize: store.usage().used - M - 300 * K } }
    const dry = await runGc({ ...options, dryRun: true })
    assert.deepEqual(await runGc(options), dry)
    assert.deepEqual(
      deleted(dry),
      refs.slice(0, 2).map(({ id }) => id),
    )
  })
})
