import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSystemCalls, type SystemCalls } from '../../src/base/system-calls.ts'
import { nudgeDaemon } from '../../src/handler/nudge.ts'

/** What a daemon hears. */
async function heard(calls: SystemCalls | null): Promise<string> {
  const run = mkdtempSync(join(tmpdir(), 'nudge-'))
  try {
    return await new Promise<string>(resolve => {
      const server = createServer(socket => {
        let all = ''
        socket.on('data', data => {
          all += data.toString()
        })
        socket.on('end', () => {
          server.close()
          resolve(all)
        })
      }).listen(join(run, 'daemon.sock'), () => void nudgeDaemon(run, 'abcdefghijkl', calls))
    })
  } finally {
    rmSync(run, { recursive: true })
  }
}

test('nudgeDaemon() tells the id, by system calls and without', async () => {
  assert.notEqual(openSystemCalls(), undefined)
  assert.equal(await heard(openSystemCalls()!), 'abcdefghijkl\n')
  assert.equal(await heard(null), 'abcdefghijkl\n')
})

test('nudgeDaemon() does not mind that nobody listens', async () => {
  const began = performance.now()
  for (const run of ['/nonexistent', '/proc', `/${'x'.repeat(200)}`]) {
    await nudgeDaemon(run, 'abcdefghijkl')
    await nudgeDaemon(run, 'abcdefghijkl', null)
  }
  assert.ok(performance.now() - began < 1000)
})
