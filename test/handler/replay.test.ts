import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfigOrDefaults } from '../../src/config/index.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { admit } from '../../src/handler/admission.ts'
import { openLz4 } from '../../src/lz4/index.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { replayArguments as args, coreOf } from '../support/core-stream.ts'
import { HandlerBed } from '../support/handler-bed.ts'

function content(bed: HandlerBed): Buffer {
  using source = openCoreFile(bed.store.corePath(bed.dumps()[0]!)!)
  return Buffer.from(source.read(0, source.size))
}

/** As every file has them that was not cut by the disk. */
function assertHasIndex(bed: HandlerBed): void {
  const file = openLz4(bytesSource('core.lz4', readFileSync(bed.store.corePath(bed.dumps()[0]!)!)))
  assert.deepEqual([file.indexed, file.readHead()?.length], [true, 4096])
}

/** A 32-bit core, whose memory lies behind `head` bytes. */
function core32Of(size: number, head: number): Buffer {
  const core = coreOf(size)
  core.fill(0, 0, head)
  core.write('\x7fELF\x01\x01\x01', 'latin1')
  core.writeUInt16LE(4, 16)
  core.writeUInt32LE(52, 28)
  core.writeUInt16LE(32, 42)
  core.writeUInt16LE(1, 44)
  core.writeUInt32LE(1, 52)
  core.writeUInt32LE(head, 56)
  core.writeUInt32LE(size - head, 52 + 16)
  return core
}

describe('a replay, with descriptors 1 and 2 closed and no environment', () => {
  for (const size of [4096 + 16, 1 << 20, (1 << 20) + 1, 5 << 20, (30 << 20) + 4096])
    test(`stores ${size} bytes as they came`, () => {
      using bed = new HandlerBed()
      const core = coreOf(size)
      assert.equal(bed.replay(core, args), 0)
      const { manifest } = bed.dumps()[0]!
      assert.equal(manifest.core.state, 'complete')
      assert.equal(manifest.core.expected_size, size)
      assert.ok(content(bed).equals(core))
      if (spawnSync('lz4', ['--version']).status === 0)
        execFileSync('lz4', ['-t', '-q', bed.store.corePath(bed.dumps()[0]!)!])
    })

  test('tells that the process is not there any more', () => {
    using bed = new HandlerBed()
    assert.equal(bed.replay(coreOf(8192), args), 0)
    const { manifest } = bed.dumps()[0]!
    assert.match(manifest.notes[0]!, /Could not open \/proc\/2147483000, .*ENOENT/)
    assert.deepEqual(manifest.process, { pid: 2147483000, uid: 33, gid: 33, comm: 'api' })
    assert.equal(manifest.executable, undefined)
  })

  test('tells that the process of this number is another', () => {
    using bed = new HandlerBed()
    bed.replay(coreOf(8192), [String(process.pid), ...args.slice(1)])
    const notes = bed.dumps()[0]!.manifest.notes.join('\n')
    assert.match(notes, /is not dumping core: its number has gone to another process/)
  })

  test('marks a core that ends before what its headers promise', () => {
    using bed = new HandlerBed()
    bed.replay(coreOf(3 << 20, 10 << 20), args)
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual(
      [core.state, core.reason, core.raw_size, core.expected_size],
      ['truncated', 'killed', 3 << 20, 10 << 20],
    )
  })

  test('stores a stream that is no core, and none at all', () => {
    using bed = new HandlerBed()
    assert.equal(bed.replay(Buffer.from('not a core'), args), 0)
    assert.ok(content(bed).equals(Buffer.from('not a core')))
    using empty = new HandlerBed()
    assert.equal(empty.replay(Buffer.alloc(0), args), 0)
    assert.equal(empty.dumps()[0]!.manifest.core.raw_size, 0)
  })

  test('records a crash whose arguments make no sense', () => {
    using bed = new HandlerBed()
    assert.equal(bed.replay(coreOf(8192), ['what', '', '-', 'x', '1e9']), 0)
    const { manifest } = bed.dumps()[0]!
    assert.equal(manifest.core.state, 'complete')
    assert.ok(manifest.notes.some(note => /Only 5 of 7 arguments came/.test(note)))
  })

  test('keeps the limit, to the byte', () => {
    for (const [limit, size] of [
      ['1M', 1 << 20],
      ['2M', 2 << 20],
      ['3M', 3 << 20],
      ['2500000', 2_500_000],
    ] as const) {
      using bed = new HandlerBed({ CoreMax: limit })
      const core = coreOf(5 << 20)
      // ET_CORE.
      core.writeUInt16LE(4, 16)
      bed.replay(core, args)
      assert.equal(bed.dumps()[0]!.manifest.core.reason, 'cap')
      assert.ok(content(bed).equals(core.subarray(0, size)), limit)
      assertHasIndex(bed)
    }
  })

  test('uses up a quota of whole cores, but not for a process that asked for none', () => {
    const hasRoom = (bed: HandlerBed): boolean => {
      const { config } = loadConfigOrDefaults(bed.config)
      using admission = admit(config, { uid: Number(args[1]), exe: '/another', signal: 11 })
      return admission.refused === undefined
    }
    const askingForNone = [...args.slice(0, 5), '0', ...args.slice(6)]
    for (const [arguments_, policy, left] of [
      [askingForNone, 'record', true],
      [askingForNone, 'store', false],
      [args, 'record', false],
    ] as const) {
      using bed = new HandlerBed({ UserCapturesPerHour: '1', RlimitZero: policy })
      assert.equal(bed.replay(coreOf(8192), arguments_), 0)
      assert.equal(bed.dumps()[0]!.manifest.core.state, left ? 'none' : 'complete')
      assert.equal(hasRoom(bed), left, `${policy}, RLIMIT_CORE ${arguments_[5]}`)
    }
  })

  test('keeps a small record of a core that no part can be made of, where a quota says so', () => {
    using bed = new HandlerBed({ UserCapturesPerHour: '1' })
    const head = 8192
    const core = core32Of(20 << 20, head)
    for (let n = 0; n < 2; n++) assert.equal(bed.replay(core, args), 0)
    const cores = bed.dumps().map(({ manifest }) => manifest.core)
    const small = cores.find(({ reason }) => reason === 'policy')
    assert.deepEqual(cores.map(({ state }) => state).sort(), ['complete', 'truncated'])
    assert.deepEqual([small?.raw_size, small?.expected_size], [head + (4 << 20), core.length])
    assert.match(small?.detail ?? '', /kept for a small record, since 1 crashes of this user were stored/)
  })

  test('goes on without a configuration that makes sense', () => {
    using bed = new HandlerBed()
    writeFileSync(bed.config, `${readFileSync(bed.config, 'utf8')}Nonsense=1\nCoreMax=plenty\n`)
    assert.equal(bed.replay(coreOf(8192), args), 0)
    assert.equal(bed.dumps().length, 1)
  })

  test('leaves the facts and what it has where it is killed', async () => {
    using bed = new HandlerBed()
    // A core that never ends: only SIGKILL does.
    spawnSync('/bin/sh', [
      '-c',
      '(head -c 20000000 /dev/urandom; sleep 6) | timeout -s KILL 5 "$0" "$@"',
      bed.path('h'),
      ...args,
    ])
    await bed.settle()
    assert.deepEqual(bed.dumps(), [])
    const [id] = bed.store.ids(
      new Date(Number(args[4]) * 1000).toISOString().slice(0, 10).replaceAll('-', '/'),
    )
    const files = readdirSync(bed.path('archive/dumps'), { recursive: true, encoding: 'utf8' })
    assert.ok(files.some(name => name.endsWith(`${id}/pending.json`)))
    assert.ok(files.some(name => name.endsWith(`${id}/core.lz4.part`)))
    assert.ok(!existsSync(join(bed.path('archive/dumps'), 'manifest.json')))
  })
})
