/** Work that hangs for another reason than storage. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { byDeafFuse } from '../../scripts/faults.d/mounts.ts'
import { newId } from '../../src/archive/index.ts'
import { nudgeDaemon } from '../../src/daemon/nudge.ts'
import { testArchive } from './archive.ts'
import { child } from './running.ts'
import { archiveOnFuse, serve, staysAlive, watchdogMs } from './served.ts'

describe('work that hangs for another reason', { timeout: 10 * 60_000 }, () => {
  for (const how of ['spin', 'ask for a file again and again', 'wait for another thread'])
    it(`is left to the watchdog: ${how}`, { skip: byDeafFuse.unavailable() }, async () => {
      using archive = testArchive()
      const { root, mounted } = await archiveOnFuse(archive)
      const hang = join(archive.directory, 'hang')
      try {
        const env = {
          NODE_OPTIONS: `--import=file://${child('hang')}`,
          ...{ HANG: hang, HANG_OVER: join(root, 'format.json') },
        }
        const served = await serve(archive, { env })
        await using daemon = served.daemon
        await staysAlive(served)
        writeFileSync(hang, how)
        await sleep(watchdogMs)
        const beats = served.beats()
        await sleep(3 * watchdogMs)
        assert.equal(served.beats(), beats)
        assert.match(daemon.log(), /The work has given no sign of life for \d+ s, and waits for no storage/)
        assert.equal(await nudgeDaemon(join(archive.directory, 'run'), [newId()]), true)
        served.end()
      } finally {
        await mounted.end()
      }
    })
})
