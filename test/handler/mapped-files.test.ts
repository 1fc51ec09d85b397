/** Opening what a program was made of, by a thread that is late. */
import assert from 'node:assert/strict'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MappedFileOpener } from '../../src/handler/mapped-files.ts'
import type { Snapshot } from '../../src/handler/process-info.ts'

const late = 'storing the core without its executable: its storage does not answer'

/** This process as one that crashed, whose executable is of elsewhere. */
function opener(how: 'busy' | 'waiting'): { opener: MappedFileOpener; snapshot: Snapshot } {
  process.env.LATE = how
  const snapshot: Snapshot = {
    facts: { pid: process.pid, uid: 0, gid: 0, comm: 'node', exe: process.execPath },
    ...{ mappings: [], anonymous: [], files: [], notes: [] },
    directory: `/proc/${process.pid}`,
    close() {},
  }
  return {
    snapshot,
    opener: new MappedFileOpener(snapshot, join(import.meta.dirname, 'late-open.ts'), new Set()),
  }
}

const waiting = { patience: 400, beat() {} }

describe('an executable that is late', { timeout: 60_000 }, () => {
  it('is waited for while its thread lacks a processor', () => {
    const { opener: files, snapshot } = opener('busy')
    files.wait(waiting)
    assert.equal(files.hasStalled, false)
    const { executable } = files.take(waiting)
    assert.deepEqual([executable?.path, executable?.isLocal, snapshot.notes], [process.execPath, false, []])
    closeSync(executable!.fd)
  })

  it('is given up while the process is held, and taken later where it has come', () => {
    const { opener: files, snapshot } = opener('waiting')
    files.wait(waiting)
    assert.equal(files.hasStalled, true)
    const { executable } = files.take({ ...waiting, patience: 5000 })
    assert.deepEqual([executable?.path, files.hasStalled, snapshot.notes], [process.execPath, false, []])
    closeSync(executable!.fd)
  })

  it('is missed, with its reason', () => {
    const { opener: files, snapshot } = opener('waiting')
    files.wait(waiting)
    assert.equal(files.take(waiting).executable, undefined)
    assert.equal(files.hasStalled, true)
    assert.deepEqual(snapshot.notes, [`Could not open /proc/${process.pid}/exe, ${late}`])
  })
})
