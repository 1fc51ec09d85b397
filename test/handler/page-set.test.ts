/** Pages that are chosen, held against a set that has each of them by itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PageSet } from '../../src/handler/page-set.ts'

const page = 4096
const programSize = 56
/** Two that follow one another, and one apart. */
const segments = [
  { offset: 0, end: 20 * page, address: 0x400000 },
  { offset: 40 * page, end: 60 * page, address: 0x400000 + 20 * page },
  { offset: 80 * page, end: 100 * page, address: 0x800000 },
]

/** Addresses of the pages below `[start, end)`, up to the first that is in no segment. */
function* pagesOf(start: number, end: number): Generator<number> {
  for (let at = Math.floor(start / page) * page; at < end; at += page) {
    if (!segments.some(({ address }) => at >= address && at < address + 20 * page)) return
    yield at
  }
}

const chosenOf = (set: PageSet): number[] =>
  segments.flatMap(({ offset }) =>
    set
      .runs(offset)
      .filter(({ isChosen }) => isChosen)
      .flatMap(({ start, end }) => Array.from({ length: (end - start) / page }, (_, i) => start + i * page)),
  )

const range = fc
  .tuple(
    fc.constantFrom(...segments),
    fc.integer({ min: -2, max: 21 }),
    fc.integer({ min: 1, max: 25 * page }),
  )
  .map(([{ address }, at, size]) => ({ start: address + at * page, end: address + at * page + size }))

test('a page set has the pages that were added, each once, and their runs touch neither one another nor a gap', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), ranges => {
      const set = new PageSet(segments, 1 << 30)
      const wanted = new Set<number>()
      for (const { start, end } of ranges) {
        set.add(start, end)
        for (const at of pagesOf(start, end)) wanted.add(at)
      }
      assert.deepEqual(
        chosenOf(set),
        [...wanted].sort((a, b) => a - b),
      )
      let runs = 0
      for (const { offset, address } of segments) {
        let [at, last] = [address, undefined as boolean | undefined]
        for (const { start, end, isChosen } of set.runs(offset)) {
          assert.equal(start, at)
          assert.ok(end > start && isChosen !== last)
          ;[at, last] = [end, isChosen]
          if (isChosen) runs++
        }
        assert.equal(at, address + 20 * page)
      }
      assert.equal(set.room, (1 << 30) - wanted.size * page - runs * programSize)
    }),
  )
})

test('a page set takes no more than there is room for', () => {
  fc.assert(
    fc.property(fc.array(range), fc.integer({ min: 0, max: 40 * page }), (ranges, most) => {
      const set = new PageSet(segments, most)
      for (const { start, end } of ranges) set.add(start, end)
      const runs = segments.flatMap(({ offset }) => set.runs(offset)).filter(({ isChosen }) => isChosen)
      // The header of the last run may be one too many.
      assert.ok(chosenOf(set).length * page + runs.length * programSize <= most + programSize)
    }),
  )
})

test('a page of a segment of 64 TB is chosen at once, and so is all of it', () => {
  const address = 0x10000000000
  const size = 2 ** 46
  const set = new PageSet([{ offset: page, end: page + size, address }], Number.POSITIVE_INFINITY)
  set.add(address + 2 ** 45, address + 2 ** 45 + 1)
  assert.deepEqual(
    set.runs(page).map(({ start, end, isChosen }) => [start - address, end - address, isChosen]),
    [
      [0, 2 ** 45, false],
      [2 ** 45, 2 ** 45 + page, true],
      [2 ** 45 + page, size, false],
    ],
  )
  set.add(address, address + size)
  assert.deepEqual(set.runs(page), [{ start: address, end: address + size, isChosen: true }])
})
