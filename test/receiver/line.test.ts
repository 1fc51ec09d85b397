import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Line } from '../../src/receiver/line.ts'

const patient = 600_000

function lineOf(most = 100): { line: Line<string>; away: string[]; names: (count: number) => unknown[] } {
  const away: string[] = []
  const line = new Line<string>({ most, sendAway: entry => away.push(entry) })
  const names = (count: number): unknown[] =>
    Array.from({ length: count }, () => line.next(() => true)?.entry)
  return { line, away, names }
}

describe('Line', () => {
  test('has users take turns, and each of them its crashes in order', () => {
    const { line, names } = lineOf()
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) line.add(name.charCodeAt(0), name, patient)
    assert.equal(line.length, 6)
    assert.deepEqual(names(7), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined])
    assert.equal(line.length, 0)
  })

  test('a user who may not enter loses no turn, and keeps nobody', () => {
    const { line, names } = lineOf()
    for (const name of ['a1', 'a2', 'b1', 'b2']) line.add(name.charCodeAt(0), name, patient)
    const isB = (uid: number): boolean => uid === 'b'.charCodeAt(0)
    assert.equal(line.next(isB)?.entry, 'b1')
    assert.equal(
      line.next(() => false),
      undefined,
    )
    assert.deepEqual(names(4), ['a1', 'b2', 'a2', undefined])
  })

  test('a user who comes anew stands behind the others', () => {
    const { line, names } = lineOf()
    line.add(1, 'a1', patient)
    line.add(2, 'b1', patient)
    line.add(2, 'b2', patient)
    assert.deepEqual(names(1), ['a1'])
    line.add(1, 'a2', patient)
    assert.deepEqual(names(3), ['b1', 'a2', 'b2'])
  })

  test('sends away who has waited too long, and who finds too many', async () => {
    const { line, away, names } = lineOf(2)
    line.add(1, 'short', 10)
    line.add(1, 'long', patient)
    line.add(1, 'full', patient)
    assert.deepEqual(away, ['full'])
    while (away.length < 2) await new Promise(done => setTimeout(done, 5))
    assert.deepEqual(away, ['full', 'short'])
    assert.deepEqual(names(2), ['long', undefined])
    assert.equal(line.length, 0)
  })

  test('clear() sends away all who wait', () => {
    const { line, away, names } = lineOf()
    for (const name of ['a1', 'a2', 'b1']) line.add(name.charCodeAt(0), name, patient)
    line.clear()
    assert.deepEqual(away, ['a1', 'a2', 'b1'])
    assert.equal(line.length, 0)
    assert.deepEqual(names(1), [undefined])
  })

  test('a user who fills it takes nobody else the room', () => {
    const { line, away, names } = lineOf(4)
    for (const name of ['a1', 'a2', 'a3', 'a4']) line.add(1, name, patient)
    line.add(2, 'b1', patient)
    line.add(2, 'b2', patient)
    assert.deepEqual(away, ['a4', 'a3'])
    // As many as the other has.
    line.add(2, 'b3', patient)
    line.add(1, 'a5', patient)
    line.add(3, 'c1', patient)
    assert.deepEqual(away, ['a4', 'a3', 'b3', 'a5', 'a2'])
    assert.deepEqual(names(5), ['a1', 'b1', 'c1', 'b2', undefined])
    assert.equal(line.length, 0)
  })
})
