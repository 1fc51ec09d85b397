/** An archive that is not mounted yet when the daemon starts, and one whose mount goes and comes back. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { openArchive } from '../../src/daemon/index.ts'
import { nudgeDaemon } from '../../src/daemon/nudge.ts'
import { noKernel } from '../support/handler-bed.ts'
import { addDump, testArchive } from './archive.ts'
import { metric } from './metric.ts'
import { until } from './running.ts'
import { serve, staysAlive } from './served.ts'

it('the daemon waits for its archive to be mounted', { skip: noKernel, timeout: 180_000 }, async () => {
  using archive = testArchive()
  const [root, state, disk] = ['archive', 'state', 'disk'].map(name => join(archive.directory, name)) as [
    ...[string, string, string],
  ]
  mkdirSync(state)
  mkdirSync(disk)
  // What keeps its content while it is mounted nowhere else.
  const mount = (): void => void execFileSync('mount', ['--bind', disk, root])
  const unmount = (): void => void execFileSync('umount', [root])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=755', 'tmpfs', disk])
  spawnSync('find', [root, '-mindepth', '1', '-delete'])
  try {
    mount()
    openArchive({ archive: root, group: '', state })
    unmount()
    const served = await serve(archive, { started: /is not there, waiting for it/ })
    await using daemon = served.daemon
    const waiting = `Waiting for ${root}, which is not there`
    await until(() => served.status() === waiting, daemon.log)
    await until(() => /is not mounted\. Mount it; or remove .*archive\.json/.test(daemon.log()), daemon.log)
    await staysAlive(served)
    await until(() => metric(archive, 'archive_up') === 0, daemon.log)
    assert.deepEqual(readdirSync(root), [], 'it begins no other')
    mount()
    await until(() => /keeps/.test(daemon.log()), daemon.log)
    const first = addDump(archive.store)
    await nudgeDaemon(join(archive.directory, 'run'), [first.id])
    await until(() => daemon.row(first.id)?.analysis === 'done', daemon.log)
    await until(() => served.status() === 'Waiting for dumps', daemon.log)
    await until(() => metric(archive, 'archive_up') === 1, daemon.log)

    unmount()
    await until(() => served.status() === waiting, daemon.log)
    await until(() => metric(archive, 'archive_up') === 0, daemon.log)
    assert.equal(daemon.row(first.id)?.analysis, 'done', 'what it knows stays listed')
    mount()
    const second = addDump(archive.store)
    await until(() => daemon.row(second.id)?.analysis === 'done', daemon.log)
    await until(() => served.status() === 'Waiting for dumps', daemon.log)
    assert.match(daemon.log(), new RegExp(`${root} is there again`))
    const third = addDump(archive.store)
    await until(() => daemon.row(third.id)?.analysis === 'done', daemon.log)
    assert.equal(await daemon.end('SIGTERM'), 0)
    served.end()
  } finally {
    spawnSync('umount', [root])
    spawnSync('umount', [disk])
  }
})
