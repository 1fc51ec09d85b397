import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openCoreFile } from '../../src/source/index.ts'
import { alice, attackBed, become, cliAs } from '../security/bed.ts'
import { type HandlerBed, noKernel } from '../support/handler-bed.ts'

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

async function startReceiver(bed: HandlerBed, ...more: string[]) {
  const program = join(import.meta.dirname, '../../src/receiver/main.ts')
  const path = bed.path('sock')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, '--config', bed.config, '--listen', path, ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout!, 'data')
  return {
    path,
    pid: child.pid!,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const children = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number)

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`)

/** Waits for so many dumps: the kernel lets a process go before its handler is done. */
async function stored(bed: HandlerBed, count: number): Promise<void> {
  for (let i = 0; i < 600 && bed.dumps().length < count; i++) await new Promise(done => setTimeout(done, 50))
}

describe('the coredump socket', { skip, timeout: 10 * 60_000 }, () => {
  test('takes dumps as the pipe does: core, facts, executable, rights', async () => {
    using bed = attackBed({ UserAccess: 'yes' })
    await using receiver = await startReceiver(bed)
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
  })

  test('crashes beyond those that are recorded at a time wait in line, and none is lost', async () => {
    using bed = attackBed({ CapturesMax: '2', CapturesWait: '60s' })
    await using receiver = await startReceiver(bed)
    const each = `(sh -c 'kill -SEGV $$') & (${become(alice)} sh -c 'kill -SEGV $$') &`
    await bed.crash(`${each.repeat(6)} wait; sleep 0.2; true`, { pattern: `@@${receiver.path}` })
    await stored(bed, 12)
    assert.equal(bed.dumps().length, 12)
    assert.ok(bed.dumps().every(({ manifest }) => manifest.core.state !== 'none'))
  })

  test('a thread may call itself what it likes', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed)
    const script = `printf '\\377 \\033[31m' > /proc/$$/comm; kill -SEGV $$`
    await bed.crash(script, { pattern: `@@${receiver.path}` })
    await stored(bed, 1)
    assert.equal(bed.dumps()[0]?.manifest.process.comm, '\\xff \\x1b[31m')
  })

  test('a receiver that ends takes those that stand by with it, and none that works', async () => {
    using bed = attackBed()
    const receiver = await startReceiver(bed)
    const spares = children(receiver.pid)
    assert.equal(spares.length, 2)
    await receiver[Symbol.asyncDispose]()
    for (let i = 0; i < 100 && spares.some(isThere); i++) await new Promise(done => setTimeout(done, 50))
    assert.deepEqual(spares.filter(isThere), [])
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
