import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openLocalStore } from '../../src/archive/index.ts'
import { bootId } from '../../src/base/host-ids.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { KernelLines } from '../../src/daemon/kernel-lines.ts'
import type { LogRecord } from '../../src/daemon/kernel-log.ts'
import { KernelRecords } from '../../src/daemon/kernel-records.ts'
import { syncDump } from '../../src/daemon/sync.ts'
import { noKernel } from '../support/handler-bed.ts'
import { testArchive } from './archive.ts'

const line = (sequence: number, pid: number): LogRecord => ({
  ...{ sequence, microseconds: 1000 * sequence, isKernels: true },
  text: `coredump: ${pid}(sh): |/nonexistent %P pipe failed`,
})

describe('KernelLines', { skip: noKernel }, () => {
  it('has what an earlier daemon read and did not deal with, though the log has lost it', () => {
    using archive = testArchive()
    const file = join(archive.directory, 'kernel-lines.json')
    const open = (): KernelLines => new KernelLines({ run: archive.directory, onProblem: assert.fail })
    writeFileSync(file, JSON.stringify({ boot_id: bootId(), lines: [line(-2, 41), line(-1, 42)] }))
    {
      using lines = open()
      assert.deepEqual(lines.look().slice(0, 2), [line(-2, 41), line(-1, 42)])
      lines.dealtWith(-2)
      assert.deepEqual(lines.look()[0], line(-1, 42))
    }
    assert.deepEqual(
      (JSON.parse(readFileSync(file, 'utf8')) as { lines: LogRecord[] }).lines[0],
      line(-1, 42),
    )
    writeFileSync(file, JSON.stringify({ boot_id: 'another', lines: [line(-1, 42)] }))
    using lines = open()
    assert.ok(lines.look().every(({ sequence }) => sequence >= 0))
  })
})

describe('KernelRecords', () => {
  it('makes the next time what could not be written, and passes over nothing behind it', () => {
    using archive = testArchive()
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const catalog = openCatalog(join(state, 'catalog.db'))
    const { store } = archive
    const records = new KernelRecords({
      ...{ store, catalog: () => catalog, state, patience: () => 0 },
      spool: () => openLocalStore(join(archive.directory, 'spool')),
      onRecord: ref => syncDump(store, catalog, ref),
    })
    records.look([])
    assert.equal(records.done, -1)
    const lines = [line(7, 41), line(9, 42)]
    const dumps = join(store.root, 'dumps')
    writeFileSync(dumps, '')
    assert.throws(() => records.look(lines))
    assert.equal(records.done, -1)
    rmSync(dumps)
    records.look(lines)
    records.look(lines)
    assert.equal(records.done, 9)
    const pids = [...store.list()].map(({ manifest }) => manifest.process.pid)
    assert.deepEqual(pids.sort(), [41, 42])
    catalog.close()
  })
})
