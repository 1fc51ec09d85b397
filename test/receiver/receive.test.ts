/** What is told of a crash at the coredump socket beside the core: the thread that died. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { openSocketLibc } from '../../src/receiver/libc.ts'
import { CoredumpBit, formatAnswer, markOk, peekStatus, requestSize } from '../../src/receiver/protocol.ts'
import { accept, meet, threadOf } from '../../src/receiver/receive.ts'

test('peekStatus() asks for more of a core until the first note is there', () => {
  const core = zstdDecompressSync(readFileSync(join(import.meta.dirname, '../fixtures/till/core.zst')))
  const whole = peekStatus(core.subarray(0, 64 * 1024))
  assert.ok(whole !== 'more' && whole !== undefined)
  assert.equal(whole.signal, 6)
  const end = [...Array(64 * 1024).keys()].find(length => peekStatus(core.subarray(0, length)) !== 'more')!
  assert.deepEqual(peekStatus(core.subarray(0, end)), whole)
  assert.ok(end > 64 + 56)
  // A core of 32 bits does not tell, however much there is.
  const other = Buffer.from(core.subarray(0, 64))
  other[4] = 1
  assert.equal(peekStatus(other), undefined)
})

test('threadOf() finds the thread that its PID namespace calls by a number', {
  skip: process.getuid!() !== 0,
}, async () => {
  // The namespace's first process, which unshare is the parent of.
  const unshare = spawn(
    'unshare',
    ['--pid', '--fork', '--kill-child', 'sh', '-c', 'echo up; sleep 60 & wait'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    await once(unshare.stdout, 'data')
    const children = (pid: number): number[] =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
    const [first] = children(unshare.pid!)
    assert.equal(threadOf(first!, 1), first)
    assert.equal(threadOf(first!, 77), undefined)
    assert.equal(threadOf(process.pid, process.pid), process.pid)
    const own = readdirSync('/proc/self/task').map(Number).at(-1)!
    assert.equal(threadOf(process.pid, own), own)
    assert.equal(threadOf(2 ** 22 + 1, 1), undefined)
  } finally {
    unshare.kill('SIGKILL')
  }
})

test('meet() waits for nobody: who has not asked yet is looked at again, and in the end sent away', {
  skip: openSocketLibc() === undefined && 'this takes node:ffi',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-meet-'))
  const libc = openSocketLibc()!
  // Of this process, as if it were being dumped.
  libc.info = () => ({
    ...{ pid: process.pid, tgid: process.pid, uid: 0, gid: 0 },
    ...{ dumpable: 1 as const, signal: 6 },
  })
  const server = createServer({ pauseOnConnect: true }).listen(join(directory, 'sock'))
  await once(server, 'listening')
  const kernel = connect(join(directory, 'sock'))
  try {
    const [socket] = (await once(server, 'connection')) as [Socket]
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    for (let look = 0; look < 3; look++) assert.equal(meet(libc, fd), undefined)
    assert.match(
      String(meet(libc, fd, 'the kernel did not ask for it in time')),
      /^REFUSED the core of crash of process \d+ .*: the kernel did not ask for it in time$/,
    )
    const request = formatAnswer(CoredumpBit.kernel | CoredumpBit.reject | CoredumpBit.wait)
    request.writeUInt32LE(requestSize, 4)
    for (const part of [request.subarray(0, 7), request.subarray(7)]) {
      assert.equal(meet(libc, fd), undefined)
      kernel.write(part)
      while (libc.peek(fd, requestSize, 0).length < part.length) await new Promise(setImmediate)
    }
    const crash = meet(libc, fd)
    assert.ok(typeof crash === 'object')
    assert.match(crash.fact, new RegExp(`^crash of process ${process.pid} \\(.*\\) of user 0, SIGABRT$`))
    socket.destroy()
  } finally {
    kernel.destroy()
    server.close()
    rmSync(directory, { recursive: true })
  }
})

test('accept() waits for the mark however long it takes: what comes behind it is the core', {
  skip: openSocketLibc() === undefined && 'this takes node:ffi',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-mark-'))
  const libc = openSocketLibc()!
  const server = createServer({ pauseOnConnect: true }).listen(join(directory, 'sock'))
  await once(server, 'listening')
  // As the kernel, but for the time that the crashed thread is without a processor.
  const kernel = spawn(
    process.execPath,
    [
      ...[
        '-e',
        `require('node:net').connect(process.argv[1]).once('data', function () {
        setTimeout(() => this.end(Buffer.from([${markOk}, 0, 0, 0, 0x7f, 0x45, 0x4c, 0x46])), 1300)
      })`,
      ],
      join(directory, 'sock'),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  try {
    const [socket] = (await once(server, 'connection')) as [Socket]
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    assert.equal(accept(libc, fd)?.head.toString('latin1'), '\x7fELF')
    socket.destroy()
  } finally {
    kernel.kill()
    server.close()
    rmSync(directory, { recursive: true })
  }
})

test('accept() finds the thread behind more headers than a socket holds, and loses no byte', {
  skip: openSocketLibc() === undefined && 'this takes node:ffi',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-many-'))
  const libc = openSocketLibc()!
  const count = 900
  const core = Buffer.alloc(64 + 56 * count + 20 + 336)
  core.write('\x7fELF\x02\x01', 'latin1')
  core.writeBigUInt64LE(64n, 32)
  core.writeUInt16LE(count, 56)
  // PT_NOTE first, as the kernel has it, then PT_LOAD.
  for (let i = 0; i < count; i++) core.writeUInt32LE(i === 0 ? 4 : 1, 64 + 56 * i)
  const note = 64 + 56 * count
  core.writeBigUInt64LE(BigInt(note), 64 + 8)
  core.writeUInt32LE(1, note + 8)
  core.writeUInt32LE(11, note + 20)
  core.writeUInt32LE(4711, note + 20 + 32)
  writeFileSync(join(directory, 'core'), core)
  const server = createServer({ pauseOnConnect: true }).listen(join(directory, 'sock'))
  await once(server, 'listening')
  // Header by header, as the kernel.
  const kernel = spawn(
    process.execPath,
    [
      ...[
        '-e',
        `const core = require('node:fs').readFileSync(process.argv[2])
      require('node:net').connect(process.argv[1]).once('data', function () {
        this.write(Buffer.alloc(4))
        for (let at = 0; at < core.length; at += 56) this.write(core.subarray(at, at + 56))
        this.end()
      })`,
      ],
      join(directory, 'sock'),
      join(directory, 'core'),
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  try {
    const [socket] = (await once(server, 'connection')) as [Socket]
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    const { head, status } = accept(libc, fd)!
    assert.deepEqual(status, { signal: 11, tid: 4711 })
    const rest = libc.receive(fd, core.length - head.length, 1000)!
    assert.ok(Buffer.concat([head, rest]).equals(core))
    socket.destroy()
  } finally {
    kernel.kill()
    server.close()
    rmSync(directory, { recursive: true })
  }
})
