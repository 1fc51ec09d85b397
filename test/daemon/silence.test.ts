/** Storage that falls silent in the midst of a call of the daemon's. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { byDeafFuse, freezable, type Mounted } from '../../scripts/faults.d/mounts.ts'
import { initializeStore, newId, openLocalStore } from '../../src/archive/index.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { nudgeDaemon } from '../../src/daemon/nudge.ts'
import { noKernel } from '../support/handler-bed.ts'
import { addDump, type TestArchive, testArchive } from './archive.ts'
import { metric } from './metric.ts'
import { refusedCrash } from './refused-crash.ts'
import { child, type Running, startDaemon, until } from './running.ts'
import { archiveOnFuse, type Served, serve, staysAlive } from './served.ts'

const ext4 = freezable[0]!
const minutes = 60_000

/** Until monitoring and systemd are told which directory does not answer, while the work hangs. */
async function silent(archive: TestArchive, served: Served, directory: string, name: string): Promise<void> {
  await until(() => metric(archive, `${name}_up`) === 0, served.daemon.log, 90_000)
  assert.ok(metric(archive, 'silent_seconds')! >= 20, 'it is the work that hangs')
  assert.equal(served.status(), `Waiting for ${directory}, which does not answer`)
  assert.match(served.daemon.log(), new RegExp(`${directory} does not answer, waiting for it`))
  await staysAlive(served)
  assert.equal(await nudgeDaemon(join(archive.directory, 'run'), [newId()]), true)
}

/** What hangs in storage can't be ended before it is thawed. */
const thawing = (mounted: Mounted): AsyncDisposable => ({ [Symbol.asyncDispose]: () => mounted.thaw() })

const stateOf = ({ process }: Running): string =>
  /^State:\t(.*)/m.exec(readFileSync(`/proc/${process.pid}/status`, 'latin1'))![1]!

describe('storage that falls silent in the midst of a call', {
  timeout: 10 * minutes,
  concurrency: true,
}, () => {
  const skip = ext4.unavailable() || noKernel
  it('keeps nobody from the rest: an archive that is frozen', { skip }, async () => {
    using archive = testArchive()
    const root = join(archive.directory, 'archive')
    const mounted = await ext4.mount(root, join(archive.directory, 'disk'))
    try {
      initializeStore(openLocalStore(root))
      const spool = openLocalStore(join(archive.directory, 'state/spool'))
      initializeStore(spool)
      const served = await serve(archive, { lines: ['KernelLog=yes'] })
      await using daemon = served.daemon
      await using _thawed = thawing(mounted)
      mounted.freeze()
      const dump = addDump(spool)
      await nudgeDaemon(join(archive.directory, 'run'), [dump.id])
      const crashed = await refusedCrash()
      await silent(archive, served, root, 'archive')
      assert.equal(metric(archive, 'archive_free_bytes'), undefined)
      assert.equal(metric(archive, 'state_up'), 1)
      assert.ok(metric(archive, 'spool_bytes')! > 0)
      assert.ok(metric(archive, 'spool_oldest_seconds')! > 15)
      const kept = readFileSync(join(archive.directory, 'run/kernel-lines.json'), 'utf8')
      assert.match(kept, new RegExp(`${crashed}\\(sh\\)`))
      await mounted.thaw()
      await until(() => daemon.row(dump.id)?.analysis === 'done', daemon.log)
      await until(() => recorded(archive, crashed) === 1, daemon.log)
      await until(() => metric(archive, 'archive_up') === 1, daemon.log)
      assert.match(daemon.log(), new RegExp(`${root} answers again`))
      assert.equal(listed(archive, dump.id), 1)
      assert.equal(await daemon.end('SIGTERM'), 0)
      served.end()
    } finally {
      await mounted.end()
    }
  })

  it('keeps nobody from the rest: a state directory that is frozen, and ends with the thaw', {
    skip: ext4.unavailable(),
  }, async () => {
    using archive = testArchive()
    const state = join(archive.directory, 'state')
    mkdirSync(state)
    const mounted = await ext4.mount(state, join(archive.directory, 'disk'))
    try {
      const served = await serve(archive)
      await using daemon = served.daemon
      await using _thawed = thawing(mounted)
      mounted.freeze()
      const dump = addDump(archive.store)
      await silent(archive, served, state, 'state')
      assert.equal(metric(archive, 'archive_up'), 1)
      // What can't be interrupted is ended by nobody: all else of the process is.
      daemon.process.kill('SIGTERM')
      await until(() => stateOf(daemon).startsWith('Z'), daemon.log)
      const ended = daemon.end('SIGTERM')
      await mounted.thaw()
      assert.equal(await ended, 'SIGKILL')
      served.end()
      await using next = await startDaemon(archive, { program: child('good') })
      await until(() => next.row(dump.id)?.analysis === 'done', next.log)
      assert.equal(await next.end('SIGTERM'), 0)
    } finally {
      await mounted.end()
    }
  })

  it('does not hold up the end', { skip: byDeafFuse.unavailable() }, async () => {
    using archive = testArchive()
    const { root, mounted, files } = await archiveOnFuse(archive)
    try {
      const served = await serve(archive, { lines: ['PollInterval=1h'] })
      await using daemon = served.daemon
      await using _thawed = thawing(mounted)
      const dumps = Array.from({ length: 3000 }, () => addDump(files, { core: null }))
      await nudgeDaemon(join(archive.directory, 'run'), [newId()])
      await sleep(300)
      mounted.freeze()
      await silent(archive, served, root, 'archive')
      const began = Date.now()
      assert.equal(await daemon.end('SIGTERM'), 'SIGKILL')
      assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`)
      served.end()
      await mounted.thaw()
      await using next = await startDaemon(archive, { program: child('good') })
      await until(() => count(archive) === dumps.length, next.log, 2 * minutes)
      assert.equal(await next.end('SIGTERM'), 0)
    } finally {
      await mounted.end()
    }
  })
})

function rows(archive: TestArchive): { id: string; pid: number }[] {
  const path = join(archive.directory, 'state/catalog.db')
  if (!existsSync(path)) return []
  const catalog = openCatalog(path, { readonly: true })
  try {
    return catalog.list({ limit: 100_000 })
  } finally {
    catalog.close()
  }
}

const count = (archive: TestArchive): number => rows(archive).length
const listed = (archive: TestArchive, id: string): number => rows(archive).filter(row => row.id === id).length
const recorded = (archive: TestArchive, pid: number): number =>
  rows(archive).filter(row => row.pid === pid).length
