/** What a place takes beside the core, and no more than it may. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { layoutOf, newId } from '../../src/archive/layout.ts'
import type { MappedFile } from '../../src/handler/mapped-files.ts'
import { openElf } from '../../src/handler/open-elf.ts'
import { Place } from '../../src/handler/place.ts'
import { spoolRoom } from '../../src/handler/spool-bound.ts'
import { HandlerBed } from '../support/handler-bed.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const facts = { pid: 1, uid: 0, gid: 0, comm: 'x' }

function begin(root: string, spoolMax: number | null): Place {
  const place = new Place()
  const ref = { id: newId(), day: '2026/11/30' }
  const order = { root, group: '', userAccess: false, ref, least: 65536, spoolMax }
  place.begin({ ...order, crash: { process: facts, dumpable: 1 } }, { id: ref.id, process: facts } as never)
  return place
}

/** A program that takes 26 KB or so, and says that it is larger. */
function program(bed: HandlerBed, name: string, size: number): MappedFile {
  const path = bed.path(name)
  copyFileSync('/bin/true', path)
  truncateSync(path, size)
  const { fd } = openElf(path)!
  return { fd, size, path, isLocal: true }
}

const taken = (root: string): number =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

test('a spool takes no executable and no library beyond SpoolMax', () => {
  using bed = new HandlerBed()
  const root = bed.path('spool')
  const place = begin(root, 10 << 20)
  const files = ['a', 'b', 'c'].map((name, n) => program(bed, name, (4 << 20) + n))
  const executable = program(bed, 'prog', 64 << 20)
  const stored = place.storeFiles({ executable, libraries: files })
  assert.deepEqual([stored.executable?.key, stored.executable?.size], [undefined, 64 << 20])
  assert.deepEqual(
    stored.libraries.map(({ key }) => key !== undefined),
    [true, true, false],
  )
  assert.deepEqual(stored.notes, [
    `Could not store ${executable.path}, storing the core without its executable: SpoolMax is reached`,
    `Could not store ${files[2]!.path}, storing the core without that library: SpoolMax is reached`,
  ])
  assert.ok(taken(root) <= 10 << 20, `${taken(root)} bytes`)
})

test('nor does it what an archive took and gives back', () => {
  using bed = new HandlerBed()
  const place = begin(bed.path('spool'), 10 << 20)
  writeFileSync(bed.path('core'), Buffer.alloc(12 << 20))
  assert.throws(() => place.adopt(bed.path('core'), 12 << 20), /SpoolMax is reached/)
  assert.ok(taken(bed.path('spool')) <= 10 << 20)
})

test('what a program leaves unwritten takes no room', () => {
  using bed = new HandlerBed()
  const root = bed.path('archive')
  const executable = program(bed, 'prog', 64 << 20)
  const stored = begin(root, null).storeFiles({ executable, libraries: [] })
  assert.deepEqual(stored.notes, [])
  const path = join(layoutOf(root).binary(stored.executable!.key!), 'binary')
  assert.equal(statSync(path).size, 64 << 20)
  assert.ok(statSync(path).blocks * 512 < 2 << 20)
  assert.ok(readFileSync(path).equals(readFileSync(executable.path)))
})

test('of a crash that a quota refuses nothing new is stored, and what is there is named', () => {
  using bed = new HandlerBed()
  const root = bed.path('archive')
  const known = program(bed, 'known', 1 << 20)
  begin(root, null).storeFiles({ executable: known, libraries: [] })
  const before = taken(layoutOf(root).binaries)
  const [other, another] = ['other', 'another'].map((name, n) => program(bed, name, (2 << 20) + n))
  const why = '3 crashes of this user were stored within an hour'
  const stored = begin(root, null).storeFiles({ executable: known, libraries: [other!, another!] }, why)
  assert.notEqual(stored.executable?.key, undefined)
  assert.deepEqual(
    stored.libraries.map(({ key, build_id }) => [key, build_id]),
    Array(2).fill([undefined, stored.executable?.build_id]),
  )
  assert.deepEqual(stored.notes, [
    `Could not store ${other!.path}, storing the core without that library: ${why}`,
    '2 libraries could not be stored',
  ])
  assert.equal(taken(layoutOf(root).binaries), before)
})

test('executables leave a full file system what manifests need', {
  skip: process.getuid?.() !== 0 ? 'needs root' : false,
}, () => {
  using bed = new HandlerBed()
  const root = bed.path('')
  const size = ['-t', 'tmpfs', '-o', 'size=4m', 'none', root]
  if (spawnSync('mount', size).status !== 0) return
  try {
    const executable = program(bed, 'prog', 3 << 20)
    const { notes } = begin(bed.path('archive'), null).storeFiles({ executable, libraries: [] })
    assert.match(notes.join(), /it has 3145728 bytes, and [34]\d{6} are free$/)
  } finally {
    spawnSync('umount', ['-l', root])
  }
})

test('a spool of more dumps than can be counted takes what its file system has below SpoolMax, or a small record', () => {
  using bed = new HandlerBed()
  const root = bed.path('spool')
  begin(root, null)
  const small = 4 << 20
  const { blocks, bfree, bsize } = statfsSync(root)
  const [total, used] = [blocks * bsize, (blocks - bfree) * bsize]
  assert.ok(spoolRoom(root, 10 * total) > 10 * total - small)
  const room = spoolRoom(root, used + 10 * total, 3)
  assert.ok(Math.abs(room - 10 * total) < total / 10, `${room} of ${total}`)
  // Nothing says that it is beyond.
  assert.equal(spoolRoom(root, 1, 3), small)
  assert.throws(() => spoolRoom(root, 1), /the spool holds \d+ bytes/)
})

test('a spool of very many dumps leaves an eighth of SpoolMax free on its disk', {
  skip: process.getuid!() !== 0 && 'needs root: it mounts a file system',
}, () => {
  using bed = new HandlerBed()
  const root = bed.path('spool')
  mkdirSync(root, { recursive: true })
  using _disk = mountTmpfs(root, 'size=40m')
  for (const name of ['a', 'b']) writeFileSync(join(root, name), Buffer.alloc(14 << 20))
  assert.equal(spoolRoom(root, 20 << 20, 1), 4 << 20)
  writeFileSync(join(root, 'others'), Buffer.alloc(10 << 20))
  assert.throws(() => spoolRoom(root, 20 << 20, 1), /very many dumps, \d+ bytes of its disk are free/)
})
