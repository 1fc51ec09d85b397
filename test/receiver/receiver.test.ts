import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openCoreFile } from '../../src/source/index.ts'
import { alice, attackBed, become, cliAs } from '../security/bed.ts'
import { type HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'

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
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe('the coredump socket', { skip, timeout: 10 * 60_000 }, () => {
  test('takes dumps as the pipe does: core, facts, executable, rights', async () => {
    using bed = attackBed({ UserAccess: 'yes' })
    await using receiver = await startReceiver(bed)
    const pattern = `@@${receiver.path}`
    await bed.crash(`${become(alice)} sh -c 'kill -SEGV $$'; sh -c 'kill -ABRT $$'; true`, { pattern })
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

  test('a crash that there is no room for is refused before a byte of it is written', async () => {
    using bed = attackBed()
    await using receiver = await startReceiver(bed, '--most', '0')
    const { signal } = await bed.crash('kill -SEGV $$', { pattern: `@@${receiver.path}` })
    assert.equal(signal, 'SIGSEGV')
    assert.equal(bed.dumps().length, 0)
    assert.notEqual(kernelLog('of user 0: refused, 0 dumps are being stored').length, 0)
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
