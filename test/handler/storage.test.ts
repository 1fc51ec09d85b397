import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { initializeStore } from '../../src/archive/format.ts'
import { rememberArchive } from '../../src/archive/known.ts'
import { openLocalStore } from '../../src/archive/local-store.ts'
import { openArchive } from '../../src/daemon/index.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openLz4 } from '../../src/lz4/index.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { coreOf, replayArguments } from '../support/core-stream.ts'
import { type Fault, faultPrefix, noShim } from '../support/fault-shim.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const core = coreOf(40 << 20)

function content(bed: HandlerBed): Buffer {
  using source = openCoreFile(bed.store.corePath(bed.dumps()[0]!)!)
  return Buffer.from(source.read(0, source.size))
}

/** What the daemon does: brings the spool home, and leaves nothing there. */
async function joinAgain(bed: HandlerBed, whole = core): Promise<void> {
  const shipments = await shipSpool(bed.spool, bed.store)
  assert.deepEqual(
    shipments.map(({ failed }) => failed),
    [undefined],
  )
  assert.deepEqual(bed.dumps(bed.spool), [])
  assert.equal(bed.dumps().length, 1)
  const { manifest } = bed.dumps()[0]!
  assert.equal(manifest.core.state, 'complete')
  assert.equal(manifest.core.continues, undefined)
  assert.ok(content(bed).equals(whole), 'byte for byte')
  if (spawnSync('lz4', ['--version']).status === 0)
    execFileSync('lz4', ['-t', '-q', bed.store.corePath(bed.dumps()[0]!)!])
}

function replay(bed: HandlerBed, faults: readonly Fault[]): ReturnType<HandlerBed['replay']> {
  initializeStore(bed.store)
  return bed.replay(core, replayArguments, { prefix: faultPrefix(bed, bed.path('archive'), faults) })
}

describe('an archive that a daemon has known', () => {
  test('and that is moved away is not begun anew: the dump is in the spool, and comes home', async () => {
    using bed = new HandlerBed()
    const archive = bed.path('archive')
    initializeStore(bed.store)
    mkdirSync(bed.path('state'))
    rememberArchive(bed.path('state'), archive)
    renameSync(archive, `${archive}.away`)
    assert.equal(bed.replay(core, replayArguments), 0)
    assert.ok(!existsSync(archive))
    const [dump] = bed.dumps(bed.spool)
    assert.match(dump?.manifest.notes.join() ?? '', /no format\.json any more: it was moved or emptied/)
    renameSync(`${archive}.away`, archive)
    await joinAgain(bed)
  })

  test('and that is not mounted is begun neither by a handler nor by a daemon', {
    skip: noKernel,
  }, async () => {
    const mount = mkdtempSync(join(tmpdir(), 'gocore-mount-'))
    const archive = join(mount, 'archive')
    using bed = new HandlerBed({ ArchiveDirectory: archive })
    const config = { archive, group: '', state: bed.path('state') }
    mkdirSync(bed.path('state'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'tmpfs', mount])
    try {
      openArchive(config)
      execFileSync('umount', [mount])
      assert.equal(bed.replay(core, replayArguments), 0)
      assert.throws(() => openArchive(config), /is not mounted\. Mount it; or remove .*archive\.json where/)
      assert.deepEqual(readdirSync(mount), [], 'nothing lies beneath the mount')
      const [dump] = bed.dumps(bed.spool)
      assert.match(dump?.manifest.notes.join() ?? '', new RegExp(`${mount} is not mounted`))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'tmpfs', mount])
      const store = openArchive(config)
      await shipSpool(bed.spool, store)
      assert.deepEqual([bed.dumps(store).length, bed.dumps(bed.spool).length], [1, 0])
    } finally {
      spawnSync('umount', [mount])
      rmSync(mount, { recursive: true })
    }
  })
})

describe('a core whose archive fails', { skip: noShim }, () => {
  const writes: Fault[] = [
    ['pwrite', 1, 'ENOSPC'],
    ['pwrite', 2, 'EIO'],
    ['pwrite', 5, 'EDQUOT'],
    ['pwrite', 9, 'ESTALE'],
    ['pwrite', 3, 'EROFS'],
    ['open', 0, 'EACCES'],
    ['mkdir', 1, 'EROFS'],
    ['rename', 1, 'ENOSPC'],
    ['rename', 2, 'EIO'],
    ['fsync', 3, 'EIO'],
  ]
  for (const fault of writes)
    test(`at ${fault.join(' ')} is in the spool, and whole when it comes home`, async () => {
      using bed = new HandlerBed()
      assert.equal(replay(bed, [fault]), 0)
      assert.deepEqual(bed.dumps(), [], 'listed once')
      const [dump] = bed.dumps(bed.spool)
      assert.equal(dump?.manifest.core.state, 'complete')
      assert.match(dump.manifest.notes.join('\n'), /Could not write to .*archive: .*E[A-Z]+/)
      await joinAgain(bed)
    })

  test('only at the last sync is read back into the spool', async () => {
    using bed = new HandlerBed()
    assert.equal(replay(bed, [['fsync', 1, 'EDQUOT']]), 0)
    const [dump] = bed.dumps(bed.spool)
    assert.equal(dump!.manifest.core.state, 'complete')
    assert.deepEqual(dump!.manifest.core.continues, { archive: bed.path('archive'), at: 0 })
    assert.match(dump!.manifest.notes.join('\n'), /EDQUOT/)
    await joinAgain(bed)
  })

  test('once, as the spool does, is tried once more', () => {
    using bed = new HandlerBed()
    // Below the bed, so that both fail; the first two are of the runtime directory.
    const prefix = faultPrefix(bed, bed.path(''), [
      ['mkdir', 3, 'EIO'],
      ['mkdir', 4, 'EIO'],
    ])
    assert.equal(bed.replay(core, replayArguments, { prefix }), 0)
    assert.equal(bed.dumps()[0]!.manifest.core.state, 'complete')
    assert.ok(content(bed).equals(core))
  })

  // The core takes 39 writes or so: the last ones are still on their way when all of it is read.
  for (const nth of [6, 30, 34, 36, 38, 39, 40, 41])
    test(`at write ${nth} and whose spool takes nothing either is cut`, () => {
      using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
      assert.equal(replay(bed, [['pwrite', nth, 'ENOSPC']]), 0)
      const { core: stored, notes } = bed.dumps()[0]!.manifest
      if (stored.state === 'complete') assert.ok(nth > 38)
      else {
        assert.deepEqual([stored.state, stored.reason], ['truncated', 'no-space'], notes.join('; '))
        assert.match(stored.detail!, /ENOSPC/)
        assert.ok(stored.raw_size > 0 && stored.raw_size < core.length)
      }
      const path = bed.store.corePath(bed.dumps()[0]!)!
      assert.equal(statSync(path).size, stored.stored_size)
      using source = openCoreFile(path)
      assert.deepEqual([source.size, source.warnings], [stored.raw_size, []])
      if (spawnSync('lz4', ['--version']).status === 0) execFileSync('lz4', ['-t', '-q', path])
      assert.ok(content(bed).equals(core.subarray(0, stored.raw_size)))
    })
})

describe('a core whose archive never answers', { skip: noShim }, () => {
  const calls: Fault[] = [
    ['mkdir', 1, 'stall'],
    ['open', 1, 'stall'],
    ['pwrite', 1, 'stall'],
    ['pwrite', 4, 'stall'],
    ['fsync', 1, 'stall'],
    ['rename', 2, 'stall'],
  ]
  for (const fault of calls)
    test(`at ${fault.join(' ')} goes on in the spool; the handler ends, and all comes home`, async () => {
      using bed = new HandlerBed({ StorageDeadline: '1s' })
      replay(bed, [fault])
      assert.deepEqual(bed.handlers(), [])
      assert.deepEqual(readdirSync(bed.path('run/captures')), [], 'it does not count as one at work')
      assert.ok(
        !readdirSync(bed.path('run/gate')).some(name => /^[0-9]/.test(name)),
        'its ticket is given back',
      )
      assert.deepEqual(bed.dumps(), [])
      const [dump] = bed.dumps(bed.spool)
      assert.equal(dump?.manifest.core.state, 'complete')
      assert.equal(dump.manifest.core.continues?.archive, bed.path('archive'))
      assert.match(dump.manifest.notes.join('\n'), /Could not write to .*archive: it has not answered/)
      await joinAgain(bed)
    })
})

describe('a core that began in the archive, and that the spool can not make last', { skip: noShim }, () => {
  // Of the core itself, and of the directory that has its name by then.
  for (const nth of [5, 6])
    test(`at fsync ${nth} keeps both pieces, and is whole when they are joined`, async () => {
      using bed = new HandlerBed({ StorageDeadline: '1s' })
      initializeStore(bed.store)
      const prefix = faultPrefix(bed, bed.path(''), [
        ['pwrite', 5, 'stall'],
        ['fsync', nth, 'EIO'],
      ])
      const whole = Buffer.from(core)
      // ET_CORE: of such a one it is told whether it is whole.
      whole.writeUInt16LE(4, 16)
      bed.replay(whole, replayArguments, { prefix })
      const [dump] = bed.dumps(bed.spool)
      const { state, reason, file, stored_size, continues } = dump!.manifest.core
      assert.deepEqual([state, reason, file], ['truncated', 'storage-error', 'core.lz4'])
      const begun = statSync(bed.store.layout.file(dump!, 'core.lz4.part')).size
      const rest = statSync(bed.spool.layout.file(dump!, 'core.lz4')).size
      assert.ok(continues!.at > 0 && begun >= continues!.at)
      assert.equal(rest, stored_size - continues!.at)
      await joinAgain(bed, whole)
    })
})

describe('a core whose archive is merely slow', { skip: noShim }, () => {
  const calls: Fault[] = [
    ['mkdir', 1, 'slow'],
    ['pwrite', 1, 'slow'],
    ['pwrite', 6, 'slow'],
    ['fsync', 1, 'slow'],
    ['rename', 2, 'slow'],
  ]
  for (const fault of calls)
    test(`at ${fault.join(' ')} is whole in it where there is no spool`, () => {
      using bed = new HandlerBed({ StorageDeadline: '1s', StateDirectory: '/proc/nowhere' })
      replay(bed, [fault])
      const [dump] = bed.dumps()
      assert.equal(dump?.manifest.core.state, 'complete')
      assert.equal(dump.manifest.core.continues, undefined)
      assert.ok(content(bed).equals(core))
    })
})

describe('the spool', { skip: noShim }, () => {
  const inSpool = (settings: Record<string, string>): HandlerBed => {
    const bed = new HandlerBed(settings)
    assert.equal(replay(bed, [['pwrite', 2, 'EIO']]), 0)
    return bed
  }

  test('takes no more of a core than SpoolMax leaves', () => {
    using bed = inSpool({ SpoolMax: '10M' })
    const [dump] = bed.dumps(bed.spool)
    assert.deepEqual([dump?.manifest.core.state, dump?.manifest.core.reason], ['truncated', 'no-space'])
    const { size } = statSync(bed.spool.corePath(dump!)!)
    assert.ok(size > 4 << 20 && size <= 10 << 20, `${size} bytes`)
  })

  test('takes no byte of a core before what is known of the crash would outlive the power', () => {
    using bed = new HandlerBed({ ArchiveDirectory: '/proc/nowhere', StorageDeadline: '1s' })
    initializeStore(bed.spool)
    const prefix = faultPrefix(bed, bed.spool.root, [['fsync', 1, 'stall']])
    bed.replay(core, replayArguments, { prefix })
    const [day] = [...bed.spool.days()]
    const [id] = bed.spool.ids(day!)
    assert.deepEqual(readdirSync(bed.spool.layout.dump({ id: id!, day: day! })), ['pending.json'])
  })

  test('takes a small record where it is full, and nothing where it is an eighth beyond that', () => {
    using bed = inSpool({ SpoolMax: '20M' })
    writeFileSync(join(bed.spool.root, 'ballast'), Buffer.alloc(20 << 20))
    assert.equal(replay(bed, [['pwrite', 2, 'EIO']]), 0)
    const sizes = bed.dumps(bed.spool).map(dump => statSync(bed.spool.corePath(dump)!).size)
    assert.equal(sizes.length, 1)
    writeFileSync(join(bed.spool.root, 'more'), Buffer.alloc(3 << 20))
    assert.equal(replay(bed, [['pwrite', 2, 'EIO']]), 0)
    assert.equal(bed.dumps(bed.spool).length, 1)
  })
})

describe('where there is room for the facts of a crash alone', { skip: noKernel || noShim }, () => {
  const places: readonly [name: string, settings: Record<string, string>, root: string, ...Fault[]][] = [
    ['the archive', { ArchiveDirectory: 'full', StateDirectory: '/proc/nowhere' }, 'full'],
    ['the spool', { ArchiveDirectory: '/proc/nowhere', StateDirectory: 'full' }, 'full/spool'],
    [
      'the spool, beside an archive that hangs,',
      { StateDirectory: 'full', StorageDeadline: '1s' },
      'full/spool',
      ['mkdir', 1, 'stall'],
    ],
  ]
  for (const [name, settings, root, ...faults] of places)
    test(`in ${name} those are on record`, () => {
      using bed = new HandlerBed(settings)
      const path = bed.path('full')
      writeFileSync(bed.config, readFileSync(bed.config, 'utf8').replaceAll('=full\n', `=${path}\n`))
      mkdirSync(path)
      using _disk = mountTmpfs(path, 'size=300k,mode=755')
      bed.replay(core, replayArguments, { prefix: faultPrefix(bed, bed.path('archive'), faults) })
      const [dump] = bed.dumps(openLocalStore(bed.path(root)))
      const { state, reason } = dump!.manifest.core
      assert.deepEqual([state, reason, dump!.manifest.process.comm], ['none', 'no-space', 'api'])
    })
})

test('a core of which no place takes the first block is none, and on record', { skip: noShim }, () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  assert.equal(replay(bed, [['pwrite', 1, 'ENOSPC']]), 0)
  const [dump] = bed.dumps()
  const { state, reason, expected_size } = dump!.manifest.core
  assert.deepEqual([state, reason, expected_size], ['none', 'no-space', core.length])
  assert.equal(bed.store.corePath(dump!), undefined)
})

test('a core of which only the first blocks are taken has those', { skip: noShim }, () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  replay(bed, [['pwrite', 2, 'EDQUOT']])
  const { state, reason, raw_size } = bed.dumps()[0]!.manifest.core
  assert.deepEqual([state, reason], ['truncated', 'no-space'])
  assert.ok(raw_size > 0)
  assert.ok(content(bed).equals(core.subarray(0, raw_size)))
})

test('a core whose end nobody takes either has its blocks', { skip: noShim }, () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  replay(
    bed,
    [4, 5, 6, 7, 8, 9].map(nth => ['pwrite', nth, 'ENOSPC']),
  )
  const { state, reason, raw_size } = bed.dumps()[0]!.manifest.core
  assert.deepEqual([state, reason], ['truncated', 'no-space'])
  assert.ok(raw_size > 0)
  assert.ok(content(bed).equals(core.subarray(0, raw_size)))
})

test('where the archive refuses and the spool hangs, the archive is asked for the facts', {
  skip: noShim,
}, () => {
  using bed = new HandlerBed({ StorageDeadline: '1s' })
  mkdirSync(bed.path('archive'))
  mkdirSync(bed.path('state'))
  using _disk = mountTmpfs(bed.path('archive'), 'size=300k,mode=755')
  bed.replay(core, replayArguments, {
    prefix: faultPrefix(bed, bed.path('state'), [['mkdir', 1, 'stall']]),
  })
  const { state, reason } = bed.dumps()[0]!.manifest.core
  assert.deepEqual([state, reason], ['none', 'no-space'])
})

describe('a file system that is full where a block ends', { skip: noKernel }, () => {
  const mounted = (bed: HandlerBed, size: number, use: () => void): void => {
    const path = bed.path('archive')
    mkdirSync(path, { recursive: true })
    using _disk = mountTmpfs(path, `size=${size},mode=755`)
    assert.equal(bed.replay(core, replayArguments), 0)
    use()
  }

  for (const block of [8, 20])
    test(`keeps the blocks before it, and room for their end and the manifest: block ${block}`, () => {
      using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
      let full = 0
      mounted(bed, 128 << 20, () => {
        const path = bed.store.corePath(bed.dumps()[0]!)!
        const file = readFileSync(path)
        const end = openLz4(bytesSource(path, file)).table.offsets[block]!
        const { blocks, bfree, bsize } = statfsSync(path)
        full = (blocks - bfree - Math.ceil(file.length / bsize) + Math.ceil(end / bsize)) * bsize
      })
      mounted(bed, full, () => {
        const [dump] = bed.dumps()
        const { state, reason, raw_size } = dump!.manifest.core
        assert.deepEqual([state, reason], ['truncated', 'no-space'])
        assert.ok(raw_size > 0 && raw_size < block << 20, `${raw_size} bytes`)
        assert.ok(content(bed).equals(core.subarray(0, raw_size)))
        if (spawnSync('lz4', ['--version']).status === 0)
          execFileSync('lz4', ['-t', '-q', bed.store.corePath(dump!)!])
      })
    })
})

test('a dump on a file system that has no inode for its manifest has it all the same', {
  skip: noKernel,
}, () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  const path = bed.path('archive')
  mkdirSync(path)
  // Root, format.json, five directories, pending.json, core.
  using _disk = mountTmpfs(path, 'nr_inodes=9,mode=755')
  assert.equal(bed.replay(core, replayArguments), 0)
  const [dump] = bed.dumps()
  assert.equal(dump!.manifest.core.state, 'complete')
  assert.ok(content(bed).equals(core))
  assert.deepEqual(readdirSync(bed.store.layout.dump(dump!)).sort(), ['core.lz4', 'manifest.json'])
})
