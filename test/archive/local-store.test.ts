import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { beginDump } from '../../src/archive/dump-writer.ts'
import { type Manifest, openLocalStore } from '../../src/archive/index.ts'
import { ArchiveError } from '../../src/base/errors.ts'
import { type ArchiveBed, archiveContract } from '../contract/archive.ts'
import { addDump, asNobody, makeUnlistable, testArchive } from '../daemon/archive.ts'
import { packLz4 } from '../support/lz4-file.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const manifestOf = (
  id: string,
  time: string,
  core: Buffer | undefined,
  changes: Partial<Manifest>,
): Manifest => ({
  schema: 'gocore-manifest',
  version: 1,
  id,
  tool: { version: '0', node: '0' },
  host: { name: 'here' },
  time,
  process: { pid: 1, uid: 0, gid: 0, comm: 'x' },
  signal: { number: 6, name: 'SIGABRT' },
  rlimit_core: 'unlimited',
  dumpable: 1,
  core:
    core === undefined
      ? { state: 'none', raw_size: 0, stored_size: 0 }
      : { state: 'complete', raw_size: core.length, stored_size: 0 },
  libraries: [],
  held_ms: 1,
  notes: [],
  ...changes,
})

function openBed(group = ''): ArchiveBed & { root: string } {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-store-'))
  const root = join(directory, 'archive')
  const store = openLocalStore(root, { group })
  const open: number[] = []
  return {
    root,
    store,
    add(time, core, changes = {}) {
      const dump = beginDump(store, new Date(time), changes.dumpable ?? 1)
      if (core !== undefined) {
        dump.write(packLz4(core, 65536))
        dump.finishCore()
      }
      dump.finish(manifestOf(dump.ref.id, time, core, changes))
      return dump.ref
    },
    breakManifest(ref, text) {
      writeFileSync(store.layout.file(ref, 'manifest.json'), text)
    },
    file(content) {
      const path = join(directory, `file-${open.length}`)
      writeFileSync(path, content)
      const fd = openSync(path, 'r')
      open.push(fd)
      return { fd, size: content.length }
    },
    [Symbol.dispose]() {
      for (const fd of open) closeSync(fd)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

archiveContract('the local store', openBed)

const root = { skip: process.getuid?.() === 0 ? false : 'groups of files need root' }

describe('the local store', () => {
  test('asks for a whole id by its name, and lists no day for it', t => {
    using archive = testArchive()
    const { store } = archive
    const old = new Date(Date.now() - 3 * 24 * 60 * 60_000)
    const ref = addDump(store, { time: old })
    const { id } = ref
    for (let n = 0; n < 3; n++) addDump(store)
    const listings = t.mock.method(store, 'ids')
    assert.deepEqual(
      store.find(id).map(({ id, day }) => ({ id, day })),
      [ref],
    )
    assert.deepEqual(store.find('aaaaaaaaaaaa'), [])
    assert.equal(listings.mock.callCount(), 0)
    assert.equal(store.find(id.slice(0, 11)).length, 1)
    rmSync(store.layout.file(ref, 'manifest.json'))
    assert.deepEqual(store.find(id), [], 'one without a manifest is none')
    for (const prefix of [id, id.slice(0, 11)]) {
      const day = store.layout.day(addDump(store, { time: new Date(0) }).day)
      rmSync(day, { recursive: true })
      writeFileSync(day, '')
      assert.deepEqual(store.find(prefix), [], 'a day that is no directory')
      rmSync(day)
      mkdirSync(day)
      makeUnlistable(day)
      assert.throws(() => store.find(prefix), /Cannot list .*1970.*ELOOP/)
      rmSync(day)
    }
  })

  const modes = (bed: ReturnType<typeof openBed>, path: string): [number, number] => {
    const { mode, gid } = statSync(join(bed.root, path))
    return [mode & 0o777, gid]
  }

  test('gives the group what an ordinary process left, and root alone the rest', root, () => {
    using bed = openBed('daemon')
    const daemon = Number(/^daemon:[^:]*:([0-9]+)/m.exec(readFileSync('/etc/group', 'utf8'))![1])
    const plain = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
    const guarded = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'), { dumpable: 2 })
    for (const name of ['report.json']) {
      bed.store.writeReport(plain, '{}')
      bed.store.writeReport(guarded, '{}')
      assert.deepEqual(modes(bed, `dumps/${plain.day}/${plain.id}/${name}`), [0o640, daemon])
      assert.equal(modes(bed, `dumps/${guarded.day}/${guarded.id}/${name}`)[0], 0o600)
    }
    for (const name of ['core.lz4', 'manifest.json']) {
      assert.deepEqual(modes(bed, `dumps/${plain.day}/${plain.id}/${name}`), [0o640, daemon])
      assert.equal(modes(bed, `dumps/${guarded.day}/${guarded.id}/${name}`)[0], 0o600)
    }
    assert.deepEqual(modes(bed, `dumps/${plain.day}`), [0o750, daemon])
  })

  test('has a dump that it could not list for its user, and a note of that', root, () => {
    using bed = openBed()
    const store = openLocalStore(bed.root, { userAccess: true })
    const ids = '33\t33\t33\t33'
    const status = `Uid:\t${ids}\nGid:\t${ids}\nCapPrm:\t0000000000000000\n`
    const process = { pid: 1, uid: 33, gid: 33, comm: 'x', pidfd: true as const, status }
    const dump = beginDump(store, new Date(), { process, dumpable: 1 })
    writeFileSync(store.layout.users, 'not a directory')
    dump.finish(manifestOf(dump.ref.id, new Date().toISOString(), undefined, { process }))
    const { notes } = store.readManifest(dump.ref)
    assert.equal(notes.length, 1)
    assert.match(notes[0]!, /^Could not list it among the dumps of user 33: /)
  })

  test('has a dump that there was no inode for, whole or without its libraries', root, () => {
    for (const count of [3, 1000]) {
      using bed = openBed()
      mkdirSync(bed.root)
      using _disk = mountTmpfs(bed.root, 'nr_inodes=40,mode=700')
      const time = new Date().toISOString()
      const dump = beginDump(openLocalStore(bed.root), new Date(time), 1)
      const facts = manifestOf(dump.ref.id, time, undefined, {})
      dump.writePending(facts)
      assert.throws(
        () => {
          for (let n = 0; n < 40; n++) writeFileSync(join(bed.root, `tmp-${n}`), '')
        },
        { code: 'ENOSPC' },
      )
      const libraries = Array.from({ length: count }, (_, n) => ({ path: `/lib/${n}.so`, size: n }))
      dump.finish({ ...facts, libraries })
      const { id, libraries: kept, notes } = bed.store.readManifest(dump.ref)
      assert.deepEqual([id, kept.length], [dump.ref.id, count === 3 ? 3 : 0])
      assert.match(notes.join(), count === 3 ? /^$/ : /no room for the list of libraries/)
    }
  })

  test('without a group is for its owner alone, whatever the umask', () => {
    using bed = openBed()
    const before = process.umask(0)
    try {
      const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
      assert.equal(modes(bed, `dumps/${ref.day}/${ref.id}/core.lz4`)[0], 0o600)
      assert.equal(modes(bed, `dumps/${ref.day}/${ref.id}`)[0], 0o700)
      assert.equal(modes(bed, '.')[0], 0o700)
    } finally {
      process.umask(before)
    }
  })

  test('counts what it may look at where there is something that it may not', root, () => {
    using bed = openBed()
    bed.add('2026-11-22T03:14:07.123Z', Buffer.alloc(100_000, 'x'))
    const { used } = bed.store.usage()
    for (const path of ['', '..', ...readdirSync(bed.root, { recursive: true, encoding: 'utf8' })])
      chmodSync(join(bed.root, path), 0o755)
    const exports = join(bed.root, 'exports')
    mkdirSync(exports, { mode: 0o700 })
    writeFileSync(join(exports, 'big'), Buffer.alloc(1 << 20))
    assert.ok(bed.store.usage().used > used)
    assert.equal(asNobody(() => bed.store.usage()).used, used)
  })

  test('keeps what is pinned by a file that can’t be read', () => {
    using bed = openBed()
    const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
    bed.store.pin(ref, { time: 'now' })
    const pin = join(bed.root, 'pins', `${ref.id}.json`)
    rmSync(pin)
    mkdirSync(pin)
    assert.deepEqual([...bed.store.readPins().keys()], [ref.id])
  })

  test('passes over months and executables that can’t be listed, where somebody is told', () => {
    using bed = openBed()
    const [first, , third] = ['2026-09-22', '2026-10-22', '2026-11-22'].map(day =>
      bed.add(`${day}T03:14:07.123Z`, Buffer.from('core')),
    )
    const keys = ['one', 'two'].map(text => bed.store.addBinary(bed.file(Buffer.from(text)), {}))
    const month = join(bed.root, 'dumps/2026/10')
    const folder = join(bed.root, 'binaries', keys[0]!.slice(0, 2))
    for (const path of [month, folder]) makeUnlistable(path)
    const told: string[] = []
    const onUnlisted = (directory: string): void => void told.push(directory)
    assert.deepEqual([...bed.store.days(onUnlisted)], [third!.day, first!.day])
    assert.equal([...bed.store.list({ onUnlisted })].length, 2)
    assert.deepEqual(
      [...bed.store.binaries(onUnlisted)].map(({ key }) => key),
      [keys[1]],
    )
    assert.deepEqual(told, [month, month, folder])
    for (const list of [() => bed.store.days(), () => bed.store.list(), () => bed.store.binaries()])
      assert.throws(() => [...list()], /ELOOP/)
    rmSync(join(bed.root, 'format.json'))
    assert.throws(() => [...bed.store.days(onUnlisted)], /ELOOP/)
  })

  test('removes what somebody has open where storage keeps the file under another name', root, () => {
    using bed = openBed()
    const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
    const key = bed.store.addBinary(bed.file(Buffer.from('program')), {})
    const { layout } = openLocalStore(bed.root)
    const [dump, binary, tmp] = [layout.dump(ref), layout.binary(key), layout.temporary]
    // What NFS makes of a file that is open when it is deleted: it can't be deleted, and goes by itself.
    const name = '.nfs00000000012a4f0e00000001'
    const mounted = [dump, binary].map(directory => join(directory, name))
    for (const path of mounted) {
      writeFileSync(path, 'core')
      execFileSync('mount', ['--bind', path, path])
    }
    try {
      bed.store.remove(ref)
      assert.deepEqual(readdirSync(dump), [name])
      bed.store.removeBinary(key)
      assert.equal(bed.store.binaryPath(key), undefined)
      const [removed] = readdirSync(tmp)
      mounted[1] = join(tmp, removed!, name)
      assert.deepEqual(readdirSync(join(tmp, removed!)), [name])
    } finally {
      for (const path of mounted) execFileSync('umount', [path])
    }
    const other = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
    const core = bed.store.corePath(other)!
    execFileSync('mount', ['--bind', core, core])
    try {
      assert.throws(() => bed.store.remove(other), { code: 'EBUSY' })
    } finally {
      execFileSync('umount', [core])
    }
  })

  test('refuses a layout that is newer', () => {
    using bed = openBed()
    mkdirSync(bed.root)
    writeFileSync(join(bed.root, 'format.json'), '{"schema":"gocore-archive","version":2}')
    assert.throws(() => openLocalStore(bed.root), /says version 2, this program reads 1/)
  })

  test('follows no link below its root', () => {
    using bed = openBed()
    const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
    const directory = join(bed.root, 'dumps', ref.day, ref.id)
    rmSync(join(directory, 'manifest.json'))
    symlinkSync('/etc/hostname', join(directory, 'manifest.json'))
    assert.throws(() => bed.store.readManifest(ref), ArchiveError)
    rmSync(join(bed.root, 'dumps/2026/11/22'), { recursive: true })
    symlinkSync('/tmp', join(bed.root, 'dumps/2026/11/22'))
    assert.throws(() => bed.add('2026-11-22T03:14:07.123Z', undefined), /is not a directory/)
  })

  test('stores a binary once, however many do so at a time', async () => {
    using bed = openBed()
    const program = join(bed.root, '../store.ts')
    writeFileSync(join(bed.root, '../big'), Buffer.alloc(3_000_000, 'abc'))
    writeFileSync(
      program,
      `import { openSync } from 'node:fs'
import { openLocalStore } from '${join(import.meta.dirname, '../../src/archive/index.ts')}'
console.log(openLocalStore('${bed.root}').addBinary({ fd: openSync('${join(bed.root, '../big')}'), size: 3000000 }, {}))
`,
    )
    const run = `for i in 1 2 3 4; do ${process.execPath} ${program} & done; wait`
    const keys = execFileSync('/bin/sh', ['-c', run], { encoding: 'utf8' }).trim().split('\n')
    assert.equal(keys.length, 4)
    assert.equal(new Set(keys).size, 1)
    assert.equal([...bed.store.binaries()].length, 1)
    assert.deepEqual(readdirSync(join(bed.root, 'tmp')), [])
  })

  test('lists nothing that its writer has not finished', () => {
    using bed = openBed()
    const store = openLocalStore(bed.root)
    const dump = beginDump(store, new Date('2026-11-22T03:14:07.123Z'), 1)
    dump.write(Buffer.from('part'))
    assert.deepEqual([...store.list()], [])
    assert.deepEqual(store.ids('2026/11/22'), [dump.ref.id])
    dump.abandon()
    assert.ok(!existsSync(dump.directory))
  })
})

const python = { skip: spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed' }

/** Written from gocore-archive(5) alone: offsets and magic numbers, XXH32 left out. */
const secondReader = `
import json, struct, sys, glob, os
root = sys.argv[1]
assert json.load(open(root + '/format.json')) == {'schema': 'gocore-archive', 'version': 1}
def block(data, size):
    out = bytearray(); i = 0
    while i < len(data):
        token = data[i]; i += 1
        n = token >> 4
        if n == 15:
            while True:
                b = data[i]; i += 1; n += b
                if b != 255: break
        out += data[i:i + n]; i += n
        if i >= len(data): break
        distance = data[i] | data[i + 1] << 8; i += 2
        n = (token & 15) + 4
        if n == 19:
            while True:
                b = data[i]; i += 1; n += b
                if b != 255: break
        for _ in range(n): out.append(out[-distance])
    assert len(out) == size
    return bytes(out)
for path in glob.glob(root + '/dumps/*/*/*/*/manifest.json'):
    manifest = json.load(open(path))
    assert manifest['schema'] == 'gocore-manifest' and manifest['version'] == 1
    assert manifest['id'] == path.split('/')[-2]
    f = open(os.path.dirname(path) + '/' + manifest['core']['file'], 'rb').read()
    total, frame, n, size, flags, version, length, xxh, magic = struct.unpack('<QQIIIHHII', f[-40:])
    assert magic == 0x58494347 and version == 1 and length == 40 and flags & 1
    assert struct.unpack('<II', f[frame:frame + 8]) == (0x184D2A5B, 16 * n + 40)
    content = b''
    for i in range(n):
        at, word, held = struct.unpack('<QII', f[frame + 8 + 16 * i:frame + 24 + 16 * i])
        assert struct.unpack('<I', f[at:at + 4])[0] == word
        data = f[at + 4:at + 4 + (word & 0x7fffffff)]
        content += data if word >> 31 else block(data, held)
    assert len(content) == total == manifest['core']['raw_size']
    sys.stdout.buffer.write(content)
`

describe('gocore-archive(5)', () => {
  test('is enough to write a second reader from', python, () => {
    using bed = openBed()
    const core = Buffer.alloc(300_000)
    for (let at = 100_000; at < 200_000; at += 4) core.writeUInt32LE((at * 2654435761) >>> (at % 7), at)
    bed.add('2026-11-22T03:14:07.123Z', core, {
      core: { state: 'complete', file: 'core.lz4', raw_size: core.length, stored_size: 0 },
    })
    const read = execFileSync('python3', ['-c', secondReader, bed.root], { maxBuffer: 1 << 24 })
    assert.ok(read.equals(core))
  })
})
