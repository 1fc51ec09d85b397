import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { initializeStore, openLocalStore } from '../../src/archive/index.ts'
import { addDump, testArchive } from './archive.ts'
import { child, startDaemon, until } from './running.ts'

describe('Liveness', { skip: byFuse.unavailable(), timeout: 5 * 60_000 }, () => {
  it('keeps the daemon listening while its archive does not answer', async () => {
    using archive = testArchive()
    const root = join(archive.directory, 'archive')
    mkdirSync(root, { recursive: true })
    const mounted = await byFuse.mount(root, join(archive.directory, 'fuse'))
    try {
      const store = openLocalStore(root)
      initializeStore(store)
      await using daemon = await startDaemon(archive, { program: child('good'), lines: ['PollInterval=1s'] })
      const before = addDump(store)
      await until(() => daemon.row(before.id)?.analysis === 'done', daemon.log)
      // What it has begun with the archive is done.
      await sleep(2000)
      mounted.freeze()
      // Several looks at the archive are due, and none of them holds up what else there is to do.
      await sleep(4000)
      daemon.process.kill('SIGHUP')
      await until(() => daemon.log().includes('Read the configuration again'), daemon.log)
      await mounted.thaw()
      const after = addDump(store)
      await until(() => daemon.row(after.id)?.analysis === 'done', daemon.log)
      assert.equal(await daemon.end('SIGTERM'), 0)
    } finally {
      await mounted.end()
    }
  })
})
