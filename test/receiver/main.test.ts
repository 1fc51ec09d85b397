/** The process that leads a receiver, whose other parts may not come up. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ending } from '../../src/receiver/door.ts'
import { openSocketLibc } from '../../src/receiver/libc.ts'

test('a receiver that is told to end has sent away who still waits before its manager ends it', () => {
  const unit = readFileSync(join(import.meta.dirname, '../../systemd/gocore-sink-receiver.service'), 'utf8')
  const [, minutes] = /^TimeoutStopSec=(\d+)min$/m.exec(unit)!
  assert.ok(ending + 20_000 < Number(minutes) * 60_000)
})

test('a door that never opens is ended, and the receiver with it, to be started anew', {
  skip: openSocketLibc() === undefined && 'this takes node:ffi',
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-main-'))
  const path = (name: string): string => join(directory, name)
  const main = join(import.meta.dirname, '../../src/receiver/main.ts')
  // As Node itself does where it gets some of its threads and then no more.
  writeFileSync(
    path('main.mts'),
    `import { writeFileSync } from 'node:fs'
    if (process.argv[2] === '--door') {
      writeFileSync(${JSON.stringify(path('door'))}, String(process.pid))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    }
    await import(${JSON.stringify(main)})`,
  )
  writeFileSync(path('config'), `RuntimeDirectory=${path('run')}\n`)
  const receiver = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      path('main.mts'),
      ...['--config', path('config'), '--listen', path('sock')],
    ],
    { stdio: 'ignore' },
  )
  try {
    assert.deepEqual(await once(receiver, 'exit'), [1, null])
    assert.equal(existsSync(`/proc/${readFileSync(path('door'), 'latin1')}`), false)
  } finally {
    receiver.kill('SIGKILL')
    if (existsSync(path('door')) && existsSync(`/proc/${readFileSync(path('door'), 'latin1')}`))
      process.kill(Number(readFileSync(path('door'), 'latin1')), 'SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
})
