import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, Notifier, watchdogInterval } from '../../src/daemon/notify.ts'
import { addDump, testArchive } from './archive.ts'
import { listen } from './manager.ts'
import { startDaemon, until } from './running.ts'

describe('addressOf()', () => {
  const cases: [path: string, hex: string | undefined][] = [
    ['/run/x', `0100${Buffer.from('/run/x\0').toString('hex')}`],
    ['@abc', `0100${Buffer.from('\0abc').toString('hex')}`],
    ['', undefined],
    ['relative', undefined],
    ['@', undefined],
    [`/${'x'.repeat(107)}`, undefined],
  ]
  for (const [path, hex] of cases)
    it(`${JSON.stringify(path.slice(0, 20))} is ${hex ?? 'none'}`, () => {
      const address = addressOf(path)
      assert.equal(address && Buffer.from(address).toString('hex'), hex)
    })
})

it('watchdogInterval() is half of what systemd wants, where it wants it of this process', () => {
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '3000000' }), 1500)
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 7), 1500)
  assert.equal(watchdogInterval({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, 7), undefined)
  assert.equal(watchdogInterval({}), undefined)
})

it('Notifier takes the socket out of the environment, and is still where there is none', () => {
  const env = { NOTIFY_SOCKET: '/nonexistent/socket' }
  const notifier = new Notifier(env)
  assert.equal(notifier.isOn, true)
  assert.equal(env.NOTIFY_SOCKET, undefined)
  notifier.send('READY=1')
  assert.equal(new Notifier({}).isOn, false)
})

for (const kind of ['path', 'abstract'] as const)
  it(`the daemon tells systemd of its life, by a socket with ${kind} name`, async () => {
    using archive = testArchive()
    const name =
      kind === 'path' ? join(archive.directory, 'notify') : `@gocore-test-${randomBytes(6).toString('hex')}`
    const manager = await listen(name)
    const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '400000' }
    await using daemon = await startDaemon(archive, { env })
    const said = (text: RegExp): boolean => manager.heard().some(([, line]) => text.test(line))
    await until(
      () => said(/^READY=1\nSTATUS=/m),
      () => JSON.stringify(manager.heard()),
    )
    const beats = (): number => manager.heard().filter(([, line]) => line === 'WATCHDOG=1').length
    await until(
      () => beats() >= 3,
      () => 'no watchdog',
    )
    assert.equal(await daemon.end('SIGTERM'), 0)
    await until(
      () => said(/^STOPPING=1/m),
      () => 'no STOPPING',
    )
    // NotifyAccess=main: only the daemon's own process is listened to.
    assert.ok(manager.heard().every(([pid]) => pid === daemon.process.pid))
    manager.process.kill()
  })

it('the daemon asks systemd for time as long as its start gets on', async () => {
  using archive = testArchive()
  for (let n = 0; n < 400; n++) addDump(archive.store, { core: null })
  const name = join(archive.directory, 'notify')
  const manager = await listen(name)
  await using daemon = await startDaemon(archive, { env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: '400000' } })
  const first = (text: RegExp): number => manager.heard().findIndex(([, line]) => text.test(line))
  await until(() => first(/^READY=1/) >= 0, daemon.log)
  const asked = first(/^EXTEND_TIMEOUT_USEC=60000000$/)
  assert.ok(asked >= 0 && asked < first(/^READY=1/), JSON.stringify(manager.heard()))
  const asks = (): number => manager.heard().filter(([, line]) => line.startsWith('EXTEND_')).length
  const before = asks()
  await sleep(500)
  assert.equal(asks(), before, 'a start that is over')
  await daemon.end('SIGTERM')
  manager.process.kill()
})
