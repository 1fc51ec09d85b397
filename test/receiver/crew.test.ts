/** Handlers that stand by, where there is no process to be had for one, or one that hangs or dies before its work. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Crew } from '../../src/receiver/crew.ts'
import type { Handle } from '../../src/receiver/standby.ts'

const nobodyElse = 61_237

test('a crash for which no handler can be started keeps nobody’s place', {
  skip: process.getuid!() !== 0 && 'takes root, to be a user who has no more processes',
}, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-crew-'))
  chownSync(directory, nobodyElse, nobodyElse)
  try {
    const run = spawnSync(process.execPath, [join(import.meta.dirname, 'crew-child.ts'), directory], {
      ...{ uid: nobodyElse, gid: nobodyElse, env: { PATH: process.env.PATH! }, cwd: '/' },
      encoding: 'utf8',
      timeout: 60_000,
    })
    const { done, closed, errors } = JSON.parse(run.stdout || JSON.stringify(run.stderr))
    assert.deepEqual([done, closed], [3, 3], run.stderr)
    assert.match(errors.join('; '), /could not hand it to a handler/)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

/** The first hangs before it is a program, the second dies, the third hangs with a connection, and so may no other. */
const lame = (directory: string): string => `
  const { readdirSync, readFileSync, writeFileSync } = require('node:fs')
  const starts = ${JSON.stringify(join(directory, 'starts'))}
  const turn = readdirSync(starts).length
  writeFileSync(starts + '/' + process.pid, '')
  const hang = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  if (turn === 0) hang()
  if (turn === 1) process.exit(1)
  process.on('message', (order, handle) => {
    if (turn === 2) hang()
    const socket = new (require('node:net').Socket)({ handle })
    process.send('taken', () => process.disconnect())
    socket.end(readFileSync(order.ticket))
  })
  process.send('ready')`

test('a handler that hangs or dies at its start, or with its order, costs neither the crash nor a place', {
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-crew-'))
  const starts = join(directory, 'starts')
  const script = join(directory, 'lame.cjs')
  mkdirSync(starts)
  writeFileSync(script, lame(directory))
  const done = Promise.withResolvers<number>()
  const errors: string[] = []
  const crew = new Crew({
    ...{ script, spare: 1, tickets: directory, patience: 2000 },
    onDone: ({ place }) => done.resolve(place),
    onError: why => errors.push(why),
    onStill: () => {},
  })
  const server = createServer({ pauseOnConnect: true }).listen(join(directory, 'sock'))
  try {
    while (readdirSync(starts).length === 0) await new Promise(resolve => setTimeout(resolve, 20))
    const [lone] = readdirSync(starts)
    const kernel = connect(join(directory, 'sock'))
    const [visit] = (await once(server, 'connection')) as [Socket]
    const info = { tgid: 1, pid: 1, uid: 0, gid: 0, signal: 11, dumpable: 1 } as const
    const order = { info, comm: 'x', fact: 'a crash', time: 0, place: 7, waited: 0 }
    void crew.hand((visit as unknown as { _handle: Handle })._handle, order)
    // Its ticket has a time before it does anything.
    assert.match(await text(kernel), /^[0-9]+\n$/)
    assert.equal(await done.promise, order.place)
    crew.close()
    assert.deepEqual(errors, [])
    const isThere = (pid: string): boolean => existsSync(`/proc/${pid}`)
    while (readdirSync(starts).some(isThere)) await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(isThere(lone!), false)
    // No ticket stays.
    assert.deepEqual(
      readdirSync(directory).filter(name => /^[0-9]/.test(name)),
      [],
    )
  } finally {
    for (const pid of readdirSync(starts))
      if (existsSync(`/proc/${pid}`)) process.kill(Number(pid), 'SIGKILL')
    server.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
