/** What a handler could do if the process that it records took it over. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { capability } from '../../src/base/capabilities.ts'
import { type HandlerBed, noKernel } from '../support/handler-bed.ts'
import { attackBed, compile, until } from './bed.ts'

const skip =
  noKernel || (process.getBuiltinModule('node:ffi' as never) === undefined ? 'this takes node:ffi' : false)

const bits = (...names: (keyof typeof capability)[]): bigint =>
  names.reduce((set, name) => set | (1n << BigInt(capability[name])), 0n)
/** What storage takes, while a process is held haste and a larger pipe, and before that its /proc. */
const storage = bits('chown', 'dacOverride', 'dacReadSearch', 'fowner')
const whileHeld = bits('sysNice', 'sysResource')
const before = bits('sysPtrace', 'checkpointRestore')

interface Thread {
  readonly name: string
  readonly capabilities: bigint
  readonly status: string
}

const field = (status: string, key: string): string =>
  new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map(tid => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1')
    return { name: field(status, 'Name'), capabilities: BigInt(`0x${field(status, 'CapPrm')}`), status }
  })
}

/** Megabytes of noise, then death. */
const victim = `#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
  size_t size = 700u << 20;
  unsigned *noise = malloc(size), x = 1;
  for (size_t i = 0; i < size / 4; i++) noise[i] = x = x * 1664525u + 1013904223u;
  abort();
}`

test('a handler at work has few capabilities, a filter of system calls and limits', {
  skip,
  timeout: 10 * 60_000,
}, async () => {
  using bed = attackBed()
  const program = compile(bed, 'victim', victim)
  let threads: Thread[] = []
  let limits = ''
  await bed.crash(`exec ${program}`, {
    async during() {
      // Held up in the middle of the core: it has opened what it needs.
      const pid = await until(() => (partSize(bed) > 8 << 20 ? bed.handlers()[0] : undefined))
      process.kill(pid, 'SIGSTOP')
      try {
        threads = threadsOf(pid)
        limits = readFileSync(`/proc/${pid}/limits`, 'latin1')
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    },
  })
  const [dump] = bed.dumps()
  assert.equal(dump?.manifest.core.state, 'complete')
  assert.deepEqual(dump.manifest.notes, [])
  for (const { name, status } of threads)
    assert.deepEqual([field(status, 'Seccomp'), field(status, 'NoNewPrivs')], ['2', '1'], name)
  const ours = threads.filter(({ name }) => /MainThread|^Worker|node$/.test(name))
  assert.ok(ours.length >= 3, JSON.stringify(threads.map(({ name }) => name)))
  for (const { name, capabilities, status } of ours) {
    assert.equal(capabilities & ~(storage | whileHeld), 0n, name)
    assert.equal(BigInt(`0x${field(status, 'CapEff')}`), capabilities, name)
  }
  // V8's own were there before: what they have, the launcher has let the handler have.
  const theirs = threads.filter(thread => !ours.includes(thread))
  assert.ok(theirs.length >= 2, JSON.stringify(threads.map(({ name }) => name)))
  for (const { name, capabilities, status } of [...theirs, ...ours]) {
    assert.equal(capabilities & ~(storage | whileHeld | before), 0n, name)
    assert.equal(BigInt(`0x${field(status, 'CapBnd')}`) & ~(storage | whileHeld | before), 0n, name)
    assert.equal(BigInt(`0x${field(status, 'CapInh')}`) | BigInt(`0x${field(status, 'CapAmb')}`), 0n, name)
  }
  assert.match(limits, /^Max core file size +1 +1 /m)
  assert.match(limits, /^Max open files +[0-9]{1,4} +[0-9]{1,4} /m)
})

test('CVE-2015-3315, CVE-2026-54230: a directory that becomes a link while a dump is written leads nowhere', {
  skip,
  timeout: 10 * 60_000,
}, async () => {
  using bed = attackBed()
  const program = compile(bed, 'victim', victim)
  const elsewhere = bed.path('open/elsewhere')
  mkdirSync(elsewhere)
  // What the handler would rename in its own directory is there, too.
  writeFileSync(join(elsewhere, 'core.lz4.part'), '')
  await bed.crash(`exec ${program}`, {
    async during() {
      const pid = await until(() => (partSize(bed) > 8 << 20 ? bed.handlers()[0] : undefined))
      process.kill(pid, 'SIGSTOP')
      try {
        const directory = join(bed.path('archive/dumps'), partName(bed)!, '..')
        renameSync(directory, `${directory}.was`)
        symlinkSync(elsewhere, directory)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    },
  })
  assert.deepEqual(readdirSync(elsewhere), ['core.lz4.part'])
  assert.equal(statSync(join(elsewhere, 'core.lz4.part')).size, 0)
  // The rest is on this machine.
  assert.match(bed.dumps(bed.spool)[0]?.manifest.notes.join() ?? '', /Could not write to .*EACCES/)
})

test('a handler that was taken over starts no program, reaches no network and no other process', {
  skip,
}, () => {
  const calls = join(import.meta.dirname, '../../src/base/system-calls.ts')
  const rights = join(import.meta.dirname, '../../src/handler/rights.ts')
  const script = `import * as fs from 'node:fs'
import { openSystemCalls } from ${JSON.stringify(calls)}
import { confineProcess, keepCapabilities } from ${JSON.stringify(rights)}
keepCapabilities('held'); confineProcess(); keepCapabilities('released')
const calls = openSystemCalls()
const path = Buffer.from('/bin/true\\0')
console.log(JSON.stringify({
  execve: calls.call('execve', path, 0, 0), fork: calls.call('fork'), internet: calls.call('socket', 2, 1, 0),
  netlink: calls.call('socket', 16, 3, 0), ptrace: calls.call('ptrace', 16, process.ppid),
  kill: calls.call('kill', process.ppid, 0), signalThread: calls.call('tgkill', process.ppid, process.ppid, 0),
  mount: calls.call('mount', 0, 0, 0, 0, 0), unshare: calls.call('unshare', 0x10000000), setuid: calls.call('setuid', 0),
  reboot: calls.call('reboot', 0, 0, 0), bpf: calls.call('bpf', 0, 0, 0), ring: calls.call('io_uring_setup', 1, Buffer.alloc(120)),
  more: (keepCapabilities('held'), /^CapPrm:\\s*0*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/task/' + process.pid + '/status', 'latin1'))[1]) === 'f' ? -1 : 0,
}))
console.error(calls.call('kill', process.pid, 0), calls.call('socket', 1, 1, 0) > 0)`
  const run = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(run.status, 0, run.stderr)
  const got = JSON.parse(run.stdout) as Record<string, number>
  for (const [call, result] of Object.entries(got)) assert.equal(result, -1, call)
  assert.equal(run.stderr.trim(), '0 true')
})

function partName(bed: HandlerBed): string | undefined {
  const names = readdirSync(bed.path('archive/dumps'), { recursive: true, encoding: 'utf8' })
  return names.find(name => name.endsWith('.part'))
}

function partSize(bed: HandlerBed): number {
  try {
    const part = partName(bed)
    return part === undefined ? 0 : statSync(bed.path(`archive/dumps/${part}`)).size
  } catch {
    return 0
  }
}
