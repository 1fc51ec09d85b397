/** What every ArchiveStore does, whatever holds its files. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ArchiveStore, DumpRef, Manifest } from '../../src/archive/index.ts'
import { NotFoundError, SinkError } from '../../src/base/errors.ts'

export interface ArchiveBed extends Disposable {
  store: ArchiveStore
  /** Stores a dump with this core content and these changes to a plain manifest. */
  add(time: string, core: Buffer | undefined, changes?: Partial<Manifest>): DumpRef
  /** Puts this text in the place of a dump's manifest. */
  breakManifest(ref: DumpRef, text: string): void
  /** An open file with this content. */
  file(content: Buffer): { fd: number; size: number }
}

export function archiveContract(name: string, open: () => ArchiveBed): void {
  describe(`${name} is an ArchiveStore`, () => {
    test('that is empty at first', () => {
      using bed = open()
      assert.deepEqual([...bed.store.list()], [])
      assert.deepEqual([...bed.store.days()], [])
      assert.deepEqual(bed.store.find(''), [])
      assert.deepEqual([...bed.store.binaries()], [])
      assert.equal(bed.store.readPins().size, 0)
    })

    test('that lists the newest first, and from a day on', () => {
      using bed = open()
      const times = [
        '2026-11-20T23:59:59.999Z',
        '2026-11-22T03:14:07.123Z',
        '2026-11-22T03:14:06.000Z',
        '2025-01-01T00:00:00.000Z',
      ]
      const refs = times.map(time => bed.add(time, Buffer.from('core')))
      const listed = [...bed.store.list()].map(({ manifest }) => manifest.time)
      assert.deepEqual(listed, [times[1], times[2], times[0], times[3]])
      assert.deepEqual([...bed.store.days()], ['2026/11/22', '2026/11/20', '2025/01/01'])
      assert.deepEqual(bed.store.ids('2026/11/22').sort(), [refs[1]!.id, refs[2]!.id].sort())
      const since = [...bed.store.list({ since: new Date('2026-11-22T03:14:06.500Z') })]
      assert.deepEqual(
        since.map(({ id }) => id),
        [refs[1]!.id],
      )
    })

    test('that finds by any beginning of an id', () => {
      using bed = open()
      const ref = bed.add('2026-11-22T03:14:07.123Z', undefined)
      for (const length of [0, 1, 4, 12]) {
        const found = bed.store.find(ref.id.slice(0, length))
        assert.deepEqual([found[0]?.id, found[0]?.day], [ref.id, ref.day])
      }
      for (const odd of ['../..', 'A', `${ref.id}a`, '%', '*']) assert.deepEqual(bed.store.find(odd), [])
    })

    test('that hands broken manifests over and lists the others', () => {
      using bed = open()
      const good = bed.add('2026-11-22T03:14:07.123Z', undefined)
      const broken = ['', '{', '[]', '{"schema":"gocore-manifest","version":99}', 'null'].map(text => {
        const ref = bed.add('2026-11-22T03:00:00.000Z', undefined)
        bed.breakManifest(ref, text)
        return ref.id
      })
      const heard: string[] = []
      const listed = [...bed.store.list({ onBroken: ref => heard.push(ref.id) })]
      assert.deepEqual(
        listed.map(({ id }) => id),
        [good.id],
      )
      assert.deepEqual(heard.sort(), broken.sort())
    })

    test('that keeps reports and analyses beside the dump', () => {
      using bed = open()
      const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
      assert.equal(bed.store.readReport(ref), undefined)
      assert.equal(bed.store.readAnalysis(ref), undefined)
      bed.store.writeReport(ref, '{"a":1}')
      bed.store.writeReport(ref, '{"a":2}')
      bed.store.writeAnalysis(ref, '{"b":1}')
      assert.equal(bed.store.readReport(ref), '{"a":2}')
      assert.equal(bed.store.readAnalysis(ref), '{"b":1}')
    })

    test('that says where a core is, or that there is none', () => {
      using bed = open()
      assert.ok(bed.store.corePath(bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))))
      assert.equal(bed.store.corePath(bed.add('2026-11-22T03:14:07.123Z', undefined)), undefined)
    })

    test('that pins and removes', () => {
      using bed = open()
      const ref = bed.add('2026-11-22T03:14:07.123Z', Buffer.from('core'))
      const other = bed.add('2026-11-22T03:14:08.123Z', Buffer.from('core'))
      const pin = { time: '2026-11-23T00:00:00.000Z', by: 'me', reason: 'keep' }
      bed.store.pin(ref, pin)
      assert.deepEqual([...bed.store.readPins()], [[ref.id, pin]])
      assert.ok(bed.store.isPinned(ref.id))
      bed.store.unpin(ref)
      bed.store.unpin(ref)
      assert.equal(bed.store.readPins().size, 0)
      bed.store.pin(ref, pin)
      bed.store.remove(ref)
      assert.equal(bed.store.readPins().size, 0)
      assert.deepEqual(
        [...bed.store.list()].map(({ id }) => id),
        [other.id],
      )
      assert.throws(() => bed.store.remove(ref), NotFoundError)
      assert.throws(() => bed.store.readManifest(ref), NotFoundError)
      assert.throws(() => bed.store.pin(ref, pin), NotFoundError)
    })

    test('that stores equal binaries once, and different ones of the same build id apart', () => {
      using bed = open()
      const first = bed.store.addBinary(bed.file(Buffer.from('program')), {})
      assert.equal(bed.store.addBinary(bed.file(Buffer.from('program')), {}), first)
      const second = bed.store.addBinary(bed.file(Buffer.from('Program')), {})
      assert.notEqual(second, first)
      assert.equal([...bed.store.binaries()].length, 2)
      assert.ok(bed.store.binaryPath(first))
      bed.store.removeBinary(first)
      assert.equal(bed.store.binaryPath(first), undefined)
      assert.deepEqual(
        [...bed.store.binaries()].map(({ key, size }) => [key, size]),
        [[second, 7]],
      )
    })

    test('that takes no name for a path', () => {
      using bed = open()
      for (const ref of [
        { id: '../../../etc', day: '2026/11/22' },
        { id: 'aaaaaaaaaaaa', day: '../..' },
      ])
        assert.throws(() => bed.store.readManifest(ref), SinkError)
      assert.equal(bed.store.binaryPath('../../../../etc/passwd'), undefined)
      assert.throws(() => bed.store.removeBinary('..'), SinkError)
    })

    test('that knows its size', () => {
      using bed = open()
      bed.add('2026-11-22T03:14:07.123Z', Buffer.alloc(100_000, 'x'))
      const { used, free, total } = bed.store.usage()
      assert.ok(used > 0 && free > 0 && total > free)
    })
  })
}
