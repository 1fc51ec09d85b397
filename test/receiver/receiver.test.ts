import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { initializeStore } from '../../src/archive/format.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { alice, attackBed, become, cliAs, compile, everything } from '../security/bed.ts'
import { crashBehind, endlessCrashes } from '../security/endless-crashes.ts'
import { endedOf, type HandlerBed, kernelLog, meanwhile, noKernel } from '../support/handler-bed.ts'

const unitText = readFileSync(join(import.meta.dirname, '../../systemd/gocore-sink-receiver.service'), 'utf8')

const modes = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/core_modes', 'latin1')
  } catch {
    return ''
  }
}
const skip =
  noKernel ||
  (modes().includes('socket') ? false : 'this kernel has no coredump socket') ||
  (process.getBuiltinModule('node:ffi' as never) === undefined ? 'this takes node:ffi' : false)

const service = 61_236
/** What the unit gives: a user of its own, and so much of root's powers. */
const powers = unitText
  .match(/^AmbientCapabilities=(.*)$/m)![1]!
  .replaceAll('CAP_', '+')
  .toLowerCase()
  .replaceAll(' ', ',')
const asUnit = `setpriv --reuid ${service} --regid ${service} --clear-groups --no-new-privs --inh-caps -all,${powers} --ambient-caps -all,${powers} --bounding-set -all,${powers}`

async function startReceiver(bed: HandlerBed, prefix = '') {
  const program = join(import.meta.dirname, '../../src/receiver/main.ts')
  // The process at the door may make it, which has no powers.
  mkdirSync(bed.path('door'))
  chownSync(bed.path('door'), service, service)
  const path = bed.path('door/sock')
  const command = [...prefix.split(' ').filter(Boolean), process.execPath]
  // As the unit's manager passes it.
  const log = openSync('/dev/kmsg', 'w')
  const child = spawn(
    command[0]!,
    [
      ...command.slice(1),
      ...['--disable-warning=ExperimentalWarning', program, '--config', bed.config, '--listen', path],
    ],
    { stdio: ['ignore', log, 'inherit'] },
  )
  closeSync(log)
  const ended = once(child, 'exit')
  while (!existsSync(path)) {
    assert.equal(child.exitCode, null, 'the receiver has ended')
    await pause()
  }
  return {
    path,
    pid: child.pid!,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const pause = (): Promise<void> => new Promise(done => setTimeout(done, 50))

/** The parts of a receiver: `--door`, or `--standby`. */
function parts(pid: number, argument: string): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')
  return children
    .filter(Boolean)
    .map(Number)
    .filter(child => commandOf(child).includes(argument))
}

/** Empty where the process has ended meanwhile. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
  } catch {
    return []
  }
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`)

/** Waits for so many dumps: the kernel lets a process go before its handler is done. */
async function stored(bed: HandlerBed, count: number): Promise<void> {
  for (let i = 0; i < 600 && bed.dumps().length < count; i++) await pause()
}

const manyMappings = `
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
static void *crash(void *none) { prctl(PR_SET_NAME, "the-one"); abort(); }
int main(void) {
  for (int i = 0; i < 3000; i++)
    mmap(0, 4096, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_t thread;
  pthread_create(&thread, 0, crash, 0);
  pthread_join(thread, 0);
}`

describe('the coredump socket', { skip, timeout: 10 * 60_000 }, () => {
  for (const [who, prefix] of [
    ['root', ''],
    ['a user of its own, with the powers of its unit', asUnit],
  ] as const)
    test(`takes dumps as the pipe does, as ${who}: core, facts, executable, rights`, async () => {
      using bed = attackBed({ UserAccess: 'yes', StorageDeadline: '20s' })
      await using receiver = await startReceiver(bed, prefix)
      const status = readFileSync(`/proc/${receiver.pid}/status`, 'latin1')
      assert.match(status, prefix === '' ? /^Uid:\t0\t0/m : new RegExp(`^Uid:\t${service}\t${service}`, 'm'))
      const pattern = `@@${receiver.path}`
      await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; sh -c 'kill -ABRT $$'; true`, { pattern })
      await stored(bed, 2)
      const dumps = bed.dumps()
      assert.equal(dumps.length, 2)
      for (const { manifest } of dumps) {
        assert.equal(manifest.core.state, 'complete', JSON.stringify(manifest.core))
        assert.equal(manifest.core.raw_size, manifest.core.expected_size)
        assert.equal(manifest.process.comm, 'sh')
        assert.equal(manifest.process.pidfd, true)
        assert.equal(manifest.dumpable, 1)
        assert.deepEqual(manifest.notes, [])
        assert.ok(manifest.executable?.key)
      }
      assert.deepEqual(dumps.map(({ manifest }) => manifest.signal.name).sort(), ['SIGABRT', 'SIGSEGV'])
      const own = dumps.find(({ manifest }) => manifest.process.uid === alice)!
      using core = openCoreFile(bed.store.corePath(own)!)
      assert.equal(Buffer.from(core.read(0, 4)).toString('latin1'), '\x7fELF')
      assert.equal(cliAs(alice, bed, ['ls', '--quiet']).stdout.trim(), own.id)
      // Nothing is the receiver's, and root's without its powers can read it: the daemon has none.
      for (const { path, uid } of everything(bed.path('archive'))) assert.equal(uid, 0, path)
      assert.equal(existsSync(bed.path('state/spool/dumps')), false)
    })

  test('who meets the kernel has no powers, may start nothing and leaves no core', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed, asUnit)
    const status = (pid: number): string => readFileSync(`/proc/${pid}/status`, 'latin1')
    const [door] = parts(receiver.pid, '--door')
    const all = [receiver.pid, ...parts(receiver.pid, '--standby'), door!]
    const isReady = (): boolean =>
      status(door!).includes('Seccomp:\t2') && all.every(part => statSync(`/proc/${part}/mem`).uid === 0)
    for (let i = 0; i < 200 && !isReady(); i++) await pause()
    assert.match(status(door!), /^CapPrm:\t0+\nCapEff:\t0+$/m)
    assert.match(status(door!), /^CapAmb:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2$/m)
    for (const handler of parts(receiver.pid, '--standby'))
      assert.doesNotMatch(status(handler), /^CapEff:\t0+$/m)
    for (const part of all) assert.equal(statSync(`/proc/${part}/mem`).uid, 0, 'dumpable')
    // The kernel would ask the one that crashes what to do.
    const pattern = `@@${receiver.path}`
    await bed.crash('sleep 1', {
      pattern,
      during: async () => {
        process.kill(door!, 'SIGSEGV')
        assert.deepEqual(await receiver.ended, [1, null])
      },
    })
    assert.equal(isThere(door!), false)
  })

  test('beyond a quota the kernel writes nothing, and the facts are on record', async () => {
    using bed = attackBed({ CapturesPerHour: '1' })
    await using receiver = await startReceiver(bed)
    const pattern = `@@${receiver.path}`
    await bed.crash(`sh -c 'kill -SEGV $$'; sh -c 'kill -SEGV $$'; sh -c 'kill -ABRT $$'; true`, { pattern })
    await stored(bed, 3)
    const states = bed.dumps().map(({ manifest: { core, signal } }) => `${signal.name} ${core.state}`)
    assert.deepEqual(states.sort(), ['SIGABRT complete', 'SIGSEGV complete', 'SIGSEGV none'])
    const refused = bed.dumps().find(({ manifest }) => manifest.core.state === 'none')!
    assert.equal(refused.manifest.core.reason, 'policy')
    assert.match(refused.manifest.core.detail!, /asked for no core, since 1 crashes of this program by this/)
    assert.equal(bed.store.corePath(refused), undefined)
    assert.match(refused.manifest.process.status!, /^Name:\tsh$/m)
    assert.deepEqual(refused.manifest.process.cmdline, ['sh', '-c', 'kill -SEGV $$'])
  })

  test('a crash with RLIMIT_CORE 0 uses up no quota of whole cores', async () => {
    using bed = attackBed({ UserCapturesPerHour: '1', RlimitZero: 'record' })
    await using receiver = await startReceiver(bed)
    const pattern = `@@${receiver.path}`
    await bed.crash(`sh -c 'kill -SEGV $$'; true`, { pattern, limit: '0' })
    await stored(bed, 1)
    await bed.crash(`sh -c 'kill -ABRT $$'; true`, { pattern })
    await stored(bed, 2)
    const states = bed.dumps().map(({ manifest: { core, signal } }) => `${signal.name} ${core.state}`)
    assert.deepEqual(states.sort(), ['SIGABRT complete', 'SIGSEGV none'])
  })

  test('RLIMIT_CORE of 0 is obeyed as by the pipe, and 1 marks who is not dumped', async () => {
    using bed = attackBed({ RlimitZero: 'record' })
    await using receiver = await startReceiver(bed)
    const pattern = `@@${receiver.path}`
    await bed.crash(`sh -c 'kill -SEGV $$'; true`, { pattern, limit: '0' })
    await stored(bed, 1)
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual([core.state, core.reason], ['none', 'rlimit'])
    let pid = 0
    await bed.crash('prlimit --core=1:1 sleep 60 & echo $! > pid; wait; true', {
      pattern,
      during: async () => {
        while (pid === 0) {
          await pause()
          pid = existsSync(bed.path('pid')) ? Number(readFileSync(bed.path('pid'), 'latin1')) : 0
        }
        while (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('sleep')) await pause()
        process.kill(pid, 'SIGSEGV')
      },
    })
    assert.equal(kernelLog(`REFUSED the core of crash of process ${pid} `).length, 1)
    assert.equal(bed.dumps().length, 1)
  })

  test('a receiver that is told to end serves who waits, and then ends', async () => {
    using bed = attackBed({ CapturesMax: '1', CapturesWait: '60s' })
    const receiver = await startReceiver(bed)
    await bed.crash(`${`(sh -c 'kill -SEGV $$') &`.repeat(5)} wait; true`, {
      pattern: `@@${receiver.path}`,
      during: async () => {
        while (bed.dumps().length === 0) await pause()
        process.kill(receiver.pid, 'SIGTERM')
      },
    })
    assert.deepEqual(await receiver.ended, [0, null])
    await stored(bed, 5)
    assert.deepEqual(
      bed.dumps().map(({ manifest }) => manifest.core.state),
      Array(5).fill('complete'),
    )
  })

  test('crashes beyond those that are recorded at a time wait in line, none is lost, and the kernel log has each', async () => {
    using bed = attackBed({ CapturesMax: '2', CapturesWait: '60s' })
    await using receiver = await startReceiver(bed, asUnit)
    const each = `(sh -c 'kill -SEGV $$') & (${become(alice)} sh -c 'kill -SEGV $$') &`
    await bed.crash(`${each.repeat(6)} wait; sleep 0.2; true`, { pattern: `@@${receiver.path}` })
    await stored(bed, 12)
    assert.equal(bed.dumps().length, 12)
    assert.ok(bed.dumps().every(({ manifest }) => manifest.core.state !== 'none'))
    // More than it takes from one opening in so short a time.
    for (const { manifest } of bed.dumps())
      assert.equal(kernelLog(`: crash of process ${manifest.process.pid} (sh) of user`).length, 1)
  })

  for (const [name, source] of endlessCrashes)
    test(`a crash that never ends, ${name}, keeps nobody else's out`, {
      skip: byFuse.unavailable(),
    }, async () => {
      using bed = attackBed({ CapturesMax: '1', CapturesWait: '4s' })
      await using receiver = await startReceiver(bed, asUnit)
      const program = compile(bed, 'victim', source)
      for (const directory of ['fuse', 'files']) mkdirSync(bed.path(directory))
      const handlers = new Set<number>()
      const mounted = await byFuse.mount(bed.path('fuse'), bed.path('files'))
      try {
        const crashes = bed.crash(crashBehind(program), { pattern: `@@${receiver.path}` })
        await meanwhile(crashes, () => {
          for (const pid of parts(receiver.pid, '--standby')) handlers.add(pid)
        })
        const ofAlice = () => bed.dumps().find(({ manifest }) => manifest.process.uid === alice)
        for (let i = 0; i < 600 && ofAlice() === undefined; i++) await pause()
        assert.notEqual(ofAlice()?.manifest.core.raw_size ?? 0, 0)
        const ofVictim = bed.dumps().find(({ manifest }) => manifest.process.exe === program)
        assert.equal(endedOf(handlers).length, ofVictim === undefined ? 1 : 0)
      } finally {
        await mounted.end()
      }
    })

  test('handlers of which a thread hangs in storage keep nobody’s place', {
    skip: byFuse.unavailable(),
  }, async () => {
    using bed = attackBed({ CapturesMax: '1', CapturesWait: '4s', StorageDeadline: '1s' })
    await using receiver = await startReceiver(bed)
    mkdirSync(bed.path('files'))
    const archive = bed.path('archive')
    mkdirSync(archive)
    const mounted = await byFuse.mount(archive, bed.path('files'))
    try {
      initializeStore(bed.store)
      await bed.crash(`sleep 1; ${`sh -c 'kill -SEGV $$'; `.repeat(2)} true`, {
        pattern: `@@${receiver.path}`,
        async during() {
          mounted.freeze()
        },
      })
      const dumps = () => bed.dumps(bed.spool)
      for (let i = 0; i < 600 && dumps().length < 2; i++) await pause()
      assert.equal(dumps().length, 2)
    } finally {
      await mounted.end()
    }
  })

  test('a thread may call itself what it likes', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed)
    const script = `printf '\\377 \\033[31m' > /proc/$$/comm; kill -SEGV $$`
    await bed.crash(script, { pattern: `@@${receiver.path}` })
    await stored(bed, 1)
    assert.equal(bed.dumps()[0]?.manifest.process.comm, '\\xff \\x1b[31m')
  })

  test('which thread died is known of a process with more mappings than a socket holds headers', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed)
    const program = compile(bed, 'mapper', manyMappings)
    await bed.crash(`${program}; true`, { pattern: `@@${receiver.path}` })
    await stored(bed, 1)
    const { core, process } = bed.dumps()[0]!.manifest
    assert.equal(core.state, 'complete')
    assert.equal(process.comm, 'the-one')
  })

  test('a receiver that ends takes those that stand by with it, and none that works', async () => {
    using bed = attackBed()
    const receiver = await startReceiver(bed)
    const spares = parts(receiver.pid, '--standby')
    assert.equal(spares.length, 2)
    await receiver[Symbol.asyncDispose]()
    for (let i = 0; i < 100 && spares.some(isThere); i++) await pause()
    assert.deepEqual(spares.filter(isThere), [])
  })

  test('a receiver that is killed leaves word of each crash that it was told of', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed, asUnit)
    let crash = 0
    process.kill(receiver.pid, 'SIGSTOP')
    const ended = bed.crash('kill -SEGV $$', {
      pattern: `@@${receiver.path}`,
      during: async pid => {
        crash = pid
      },
    })
    // It is passed on, and nobody reads it.
    await new Promise(done => setTimeout(done, 2000))
    const word = `crash of process ${crash} `
    assert.ok(crash > 0)
    assert.deepEqual(kernelLog(word), [])
    process.kill(receiver.pid, 'SIGKILL')
    await ended
    for (let i = 0; i < 100 && kernelLog(word).length === 0; i++) await pause()
    const said = kernelLog(word)
    assert.equal(said.length, 1)
    // The daemon takes a second line about a process for another crash.
    assert.match(said[0]!, /, told of again$/)
  })

  test('who may not open the kernel log writes to the one that was passed as standard output', () => {
    const log = join(import.meta.dirname, '../../src/handler/log.ts')
    const text = `a receiver's word ${process.pid}`
    const script = `import { KernelLog } from ${JSON.stringify(log)}; new KernelLog().write('notice', ${JSON.stringify(text)})`
    const [program, ...args] = asUnit.replace('dac_override', 'chown').split(' ')
    const kmsg = openSync('/dev/kmsg', 'w')
    try {
      const run = spawnSync(program!, [...args, process.execPath, '--input-type=module', '-e', script], {
        stdio: ['ignore', kmsg, 'pipe'],
        encoding: 'utf8',
      })
      assert.equal(run.status, 0, run.stderr)
    } finally {
      closeSync(kmsg)
    }
    assert.equal(kernelLog(text).length, 1)
  })

  test('who connects without a crash is sent away, and nothing comes of it', async () => {
    using bed = attackBed({ UserAccess: 'yes' })
    await using receiver = await startReceiver(bed)
    const stranger = connect(receiver.path)
    await new Promise(resolve =>
      stranger
        .on('error', () => {})
        .once('close', resolve)
        .end(Buffer.alloc(64)),
    )
    assert.equal(bed.dumps().length, 0)
  })
})
