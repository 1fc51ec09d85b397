/** What a handler that stands by answers whom it is given. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { Crew } from '../../src/receiver/crew.ts'
import { openSocketLibc } from '../../src/receiver/libc.ts'
import { CoredumpBit, requestSize } from '../../src/receiver/protocol.ts'
import type { Handle } from '../../src/receiver/standby.ts'

test('a handler refuses a process whose RLIMIT_CORE of 1 the door could not see', {
  skip: openSocketLibc() === undefined && 'this takes node:ffi',
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-standby-'))
  const path = (name: string): string => join(directory, name)
  writeFileSync(
    path('config'),
    `ArchiveDirectory=${path('archive')}\nStateDirectory=${path('state')}\nRuntimeDirectory=${directory}\n`,
  )
  const done = Promise.withResolvers<void>()
  const crew = new Crew({
    script: join(import.meta.dirname, '../../src/receiver/main.ts'),
    ...{ spare: 0, tickets: directory },
    onDone: () => done.resolve(),
    onError: why => done.reject(new Error(why)),
    onStill: () => {},
  })
  const server = createServer({ pauseOnConnect: true }).listen(path('sock'))
  await once(server, 'listening')
  // As the kernel would for it; tells what it is answered.
  const marked = spawn(
    'prlimit',
    [
      ...['--core=1:1', process.execPath, '-e'],
      `require('node:net').connect(process.argv[1]).once('data', data => process.stdout.write(data, () => process.exit()))`,
      path('sock'),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    const [visit] = (await once(server, 'connection')) as [Socket]
    const info = { pid: marked.pid!, tgid: marked.pid!, uid: 0, gid: 0, signal: 11, dumpable: 1 } as const
    const fact = `no crash of process ${marked.pid}, but a test`
    void crew.hand((visit as unknown as { _handle: Handle })._handle, {
      ...{ info, comm: 'x', fact, time: Date.now(), place: 0, waited: 0, config: path('config') },
    })
    const answer = await buffer(marked.stdout)
    assert.equal(answer.length, requestSize)
    assert.equal(answer.readBigUInt64LE(8), CoredumpBit.reject)
    await done.promise
  } finally {
    marked.kill('SIGKILL')
    server.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
