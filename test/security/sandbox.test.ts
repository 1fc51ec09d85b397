/** What an analysis could do if the core that it reads took it over. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { confinedCommand, confinedEnvironment } from '../../src/daemon/confine.ts'
import { type ChildEnd, runChild } from '../../src/daemon/run-child.ts'
import { attackBed } from './bed.ts'

const seccomp = join(import.meta.dirname, '../../src/daemon/seccomp.ts')
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
import { shutIn } from ${JSON.stringify(seccomp)}
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
})
const outside = fs.openSync('/dev/null', 'r')
process.setgroups([65534]); process.setgid(65534); process.setuid(65534)
if (!shutIn()) throw new Error('no filter')
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

describe('an analysis that was taken over', { skip, timeout: 5 * 60_000 }, () => {
  test('opens no socket and no file, traces, signals, forks and unshares nobody, and gets no rights back', async () => {
    const end = await taken(`const got = {
  socket: c.socket(1, 1, 0), internet: c.socket(2, 1, 0), open: c.open('/etc/passwd', 0, 0),
  create: c.open('/tmp/gocore-taken', 65, 420), ptrace: Number(c.ptrace(16, c.getppid(), 0, 0)),
  kill: c.kill(c.getppid(), 0), fork: c.fork(), setuid: c.setuid(0), unshare: c.unshare(0x10000000),
}
try { fs.readFileSync('/etc/passwd'); got.read = 0 } catch { got.read = -1 }
process.stdout.write(JSON.stringify(got))`)
    assert.ok(end.kind === 'exit' && end.status === 0, JSON.stringify(end))
    const got = JSON.parse((end as { output: Buffer }).output.toString()) as Record<string, number>
    for (const [call, result] of Object.entries(got)) assert.equal(result, -1, call)
    assert.equal(Object.keys(got).length, 10)
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
