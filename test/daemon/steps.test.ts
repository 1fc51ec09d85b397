/** Long work leaves the thread's sign of life its turn, or the watchdog ends the daemon. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openCatalog } from '../../src/catalog/index.ts'
import { runGc } from '../../src/daemon/gc.ts'
import { recoverSteps } from '../../src/daemon/recover.ts'
import { takeTurns } from '../../src/daemon/steps.ts'
import { addDump, testArchive } from './archive.ts'

/** How often another one had its turn meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const beat = setInterval(() => turns++, 1)
  try {
    await work()
  } finally {
    clearInterval(beat)
  }
  return turns
}

function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

describe('takeTurns()', () => {
  it('answers what the work gives, and lets others go first now and then', async () => {
    const steps = function* (): Generator<void, string> {
      for (let n = 0; n < 20; n++) {
        work(10)
        yield
      }
      return 'done'
    }
    let result = ''
    const turns = await turnsDuring(async () => {
      result = await takeTurns(steps())
    })
    assert.equal(result, 'done')
    assert.ok(turns >= 5, String(turns))
  })
})

describe('long work of the daemon', () => {
  it('is done in turns by gc: what it reads, measures and deletes', async () => {
    using archive = testArchive()
    const { store } = archive
    const catalog = openCatalog(':memory:')
    const time = new Date('2026-01-01T00:00:00Z')
    // Fewer than it once read in one go, all of one day.
    for (let n = 0; n < 400; n++) addDump(store, { time, core: null })
    const policy = { maxAge: null, maxSize: null, keepFree: null }
    const idle = await turnsDuring(() => runGc({ store, catalog, policy }))
    assert.ok(idle >= 1, String(idle))
    const old = { ...policy, maxAge: 60 }
    const turns = await turnsDuring(() => runGc({ store, catalog, policy: old }))
    assert.ok(turns >= 4, String(turns))
    assert.deepEqual([...store.list()], [])
  })

  it('is done in turns by recovery, which decodes a core as a whole', async () => {
    using archive = testArchive()
    const { store } = archive
    const host = { name: 'node', machine_id: readFileSync('/etc/machine-id', 'utf8').trim() }
    const ref = addDump(store, { core: randomBytes(64 << 20), manifest: { host } })
    const path = (name: string): string => store.layout.file(ref, name)
    writeFileSync(path('pending.json'), JSON.stringify(store.readManifest(ref)))
    renameSync(path('core.lz4'), path('core.lz4.part'))
    rmSync(path('manifest.json'))
    for (const name of ['pending.json', 'core.lz4.part', '']) utimesSync(path(name), 0, 0)
    const turns = await turnsDuring(() => takeTurns(recoverSteps(store, { booted: 0 })))
    assert.equal(store.readManifest(ref).core.raw_size, 64 << 20)
    assert.ok(turns >= 2, String(turns))
  })
})
