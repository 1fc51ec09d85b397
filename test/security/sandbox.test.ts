/** What an analysis could do if the core that it reads took it over. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { childProgram, confinedCommand, confinedEnvironment } from '../../src/daemon/confine.ts'
import { libc } from '../../src/daemon/libc.ts'
import { type ChildEnd, runChild } from '../../src/daemon/run-child.ts'
import { testArchive } from '../daemon/archive.ts'
import { startDaemon } from '../daemon/running.ts'
import { attackBed } from './bed.ts'

const shutIn = join(import.meta.dirname, '../../src/daemon/shut-in.ts')
const skip =
  process.getuid?.() !== 0 || process.getBuiltinModule('node:ffi' as never) === undefined
    ? 'this takes root and node:ffi'
    : false

/** Runs JavaScript as the analysis is run, after it has given up its rights. */
async function taken(body: string, limits: { output?: number; timeoutMs?: number } = {}): Promise<ChildEnd> {
  using bed = attackBed()
  const program = bed.path('open/dir/child.mjs')
  mkdirSync(join(program, '..'))
  writeFileSync(
    program,
    `import * as fs from 'node:fs'
import { shutIn } from ${JSON.stringify(shutIn)}
const ffi = process.getBuiltinModule('node:ffi')
const { functions: c } = ffi.dlopen(null, {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  open: { arguments: ['string', 'int32', 'int32'], return: 'int32' },
  ptrace: { arguments: ['int32', 'int32', 'int32', 'int32'], return: 'int32' },
  kill: { arguments: ['int32', 'int32'], return: 'int32' },
  fork: { arguments: [], return: 'int32' },
  setuid: { arguments: ['int32'], return: 'int32' },
  getppid: { arguments: [], return: 'int32' },
  unshare: { arguments: ['int32'], return: 'int32' },
  tgkill: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  syscall: { arguments: ['int64', 'int64', 'int64', 'int64', 'int64', 'int64', 'int64'], return: 'int64' },
})
const outside = fs.openSync('/dev/null', 'r')
if (!shutIn({ uid: 65534, gid: 65534 })) throw new Error('no filter')
${body}
`,
  )
  return await runChild({
    command: confinedCommand({ memory: 256 << 20, seconds: 60 }, ['/'], program),
    env: confinedEnvironment,
    input: '',
    timeoutMs: limits.timeoutMs ?? 60_000,
    memory: 512 << 20,
    output: limits.output ?? 1 << 20,
  })
}

// The first one: whoever starts a confined child forbids cores to itself, and those that it starts inherit that.
test('the daemon is never dumped: its memory has what it read of cores', {
  skip,
  timeout: 5 * 60_000,
}, async () => {
  const coreLimit = (pid: number | 'self'): string =>
    /^Max core file size +(\S+ +\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))![1]!
  assert.doesNotMatch(coreLimit('self'), /^1 /)
  using archive = testArchive()
  await using daemon = await startDaemon(archive)
  assert.match(coreLimit(daemon.process.pid!), /^1 +1$/)
})

describe('an analysis that was taken over', { skip, timeout: 5 * 60_000 }, () => {
  test('opens no socket and no file, traces, signals, forks and unshares nobody, and gets no rights back', async () => {
    const end = await taken(`const got = {
  socket: c.socket(1, 1, 0), internet: c.socket(2, 1, 0), open: c.open('/etc/passwd', 0, 0),
  create: c.open('/tmp/gocore-taken', 65, 420), ptrace: Number(c.ptrace(16, c.getppid(), 0, 0)),
  kill: c.kill(c.getppid(), 0), fork: c.fork(), setuid: c.setuid(0), unshare: c.unshare(0x10000000),
  signalThread: c.tgkill(c.getppid(), c.getppid(), 0),
  enterRing: Number(c.syscall(426n, 0n, 0n, 0n, 0n, 0n, 0n)), setUpRing: Number(c.syscall(425n, 8n, 0n, 0n, 0n, 0n, 0n)),
  kept: c.tgkill(process.pid, process.pid, 0) - 1,
}
try { fs.readFileSync('/etc/passwd'); got.read = 0 } catch { got.read = -1 }
process.stdout.write(JSON.stringify(got))`)
    assert.ok(end.kind === 'exit' && end.status === 0, JSON.stringify(end))
    const got = JSON.parse((end as { output: Buffer }).output.toString()) as Record<string, number>
    for (const [call, result] of Object.entries(got)) assert.equal(result, -1, call)
    assert.equal(Object.keys(got).length, 14)
  })

  test('is ended when it takes more memory than it may, beside what its own limits say', async () => {
    const hoard = 'globalThis.kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1))'
    const end = await runChild({
      command: [process.execPath, '-e', hoard],
      ...{ env: confinedEnvironment, input: '', timeoutMs: 60_000, memory: 300 << 20, output: 1 << 20 },
    })
    assert.equal(end.kind, 'memory')
  })

  test('CVE-2022-45873: is ended when it answers without end, and nobody waits for it', async () => {
    const text = "'x'.repeat(1 << 20)"
    assert.equal((await taken(`for (;;) fs.writeSync(1, ${text})`)).kind, 'output')
    // What nobody reads whole is no reason to stand still either.
    const end = await taken(
      `for (let i = 0; i < 16; i++) process.stderr.write(${text}); process.exitCode = 3`,
    )
    assert.equal(end.kind === 'exit' && end.status, 3, JSON.stringify(end).slice(0, 500))
    assert.equal((await taken('for (;;) ;', { timeoutMs: 1500 })).kind, 'timeout')
  })
})

const nobody = { uid: 65534, gid: 65534 }

/** That it has nobody's rights and no others, and of everything no more than it needs. */
function assertShutIn(pid: number | undefined): void {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const of = (key: string): string | undefined => new RegExp(`^${key}:\\s*(.*?)\\s*$`, 'm').exec(status)?.[1]
  assert.deepEqual([of('Seccomp'), of('NoNewPrivs'), of('CapEff')], ['2', '1', '0'.repeat(16)])
  for (const key of ['Uid', 'Gid']) assert.equal(of(key), Array(4).fill(65534).join('\t'), key)
  assert.equal(of('Groups'), '65534')
  // Rule 3: of processor time, files, descriptors, data and address space it has no more than it needs, nor a core.
  const limits = readFileSync(`/proc/${pid}/limits`, 'latin1')
  const most = (what: string): number =>
    Number(new RegExp(`^Max ${what} +\\S+ +(\\S+)`, 'm').exec(limits)?.[1])
  assert.deepEqual(['cpu time', 'file size', 'open files'].map(most), [60, 0, 256])
  assert.ok(most('data size') < 2 ** 31 && most('address space') < 2 ** 32, limits)
  assert.ok(most('core file size') <= 1, limits)
}

const F_SETPIPE_SZ = 1031

describe('what the daemon starts over a core is shut in while it works:', {
  skip,
  timeout: 5 * 60_000,
}, () => {
  for (const [name, order, answer] of [
    ['analyse', {}, /^\{"schema":"gocore-report"/],
    ['shrink', { what: 'shrink', grain: 64, patience: 10_000 }, /^\{"says":/],
  ] as const)
    test(name, async t => {
      using bed = attackBed()
      const [core, till] = ['core', 'till'].map(file => {
        const packed = readFileSync(join(import.meta.dirname, `../fixtures/till/${file}.zst`))
        writeFileSync(bed.path(file), zstdDecompressSync(packed))
        return bed.path(file)
      }) as [string, string]
      // A pipe with room for less than the answer: whose first byte is there waits for somebody to read.
      execFileSync('mkfifo', [bed.path('answer')])
      const reader = openSync(bed.path('answer'), constants.O_RDONLY | constants.O_NONBLOCK)
      const writer = openSync(bed.path('answer'), constants.O_WRONLY)
      assert.equal(libc()!.fcntl(writer, F_SETPIPE_SZ, 4096), 4096)
      const limits = { memory: 384 << 20, seconds: 60 }
      const [command, ...args] = confinedCommand(limits, [core, till], childProgram(name))
      const child = spawn(command!, args, { env: confinedEnvironment, stdio: ['pipe', writer, 'inherit'] })
      t.after(() => child.kill('SIGKILL'))
      const ended = once(child, 'close')
      closeSync(writer)
      const binaries = [{ role: 'executable', path: till, file: till }]
      child.stdin!.end(JSON.stringify({ core, name: 'core', binaries, become: nobody, ...order }))
      const first = Buffer.alloc(1)
      while (!hasRead(reader, first)) await setTimeout(20)
      assertShutIn(child.pid)
      const rest = await buffer(createReadStream(bed.path('answer')))
      closeSync(reader)
      assert.deepEqual(await ended, [0, null])
      assert.ok(rest.length > 8192, String(rest.length))
      assert.match(Buffer.concat([first, rest]).toString('latin1'), answer)
    })
})

/** False as long as nothing is there. Throws once nobody writes any more. */
function hasRead(fd: number, bytes: Buffer): boolean {
  try {
    assert.equal(readSync(fd, bytes), bytes.length, 'it has ended without an answer')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false
    throw error
  }
}

test('an encryption is shut in as an analysis is', { skip, timeout: 5 * 60_000 }, async t => {
  using bed = attackBed()
  const core = bed.path('core')
  writeFileSync(core, '')
  truncateSync(core, 8 << 20)
  // What nobody has the secret of.
  const recipients = ['age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj']
  const [command, ...args] = confinedCommand(
    { memory: 384 << 20, seconds: 60 },
    [core],
    childProgram('encrypt'),
  )
  const child = spawn(command!, args, { env: confinedEnvironment, stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  child.stdin.end(JSON.stringify({ core, recipients, become: nobody }))
  // It waits for somebody to read.
  await once(child.stdout, 'readable')
  assertShutIn(child.pid)
  let size = 0
  child.stdout.on('data', (piece: Buffer) => {
    size += piece.length
  })
  assert.deepEqual(await once(child, 'close'), [0, null])
  assert.ok(size > 8 << 20 && size < 9 << 20)
})
