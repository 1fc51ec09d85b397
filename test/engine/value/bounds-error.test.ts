import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundsErrorText } from '../../../src/engine/value/bounds-error.ts'

test('boundsErrorText writes what runtime.boundsError.Error does', () => {
  const text = (x: number, y: number, code: number, goMinor = 26, signed = true) =>
    boundsErrorText({ x: BigInt(x), y: BigInt(y), signed, code }, goMinor)
  assert.equal(text(5, 3, 0), 'runtime error: index out of range [5] with length 3')
  assert.equal(text(-1, 3, 0), 'runtime error: index out of range [-1]')
  assert.equal(text(9, 4, 2), 'runtime error: slice bounds out of range [:9] with capacity 4')
  assert.equal(text(3, 2, 3), 'runtime error: slice bounds out of range [3:2]')
  assert.equal(
    text(4, 2, 8),
    'runtime error: cannot convert slice with length 2 to array or pointer to array with length 4',
  )
  assert.equal(
    text(4, 2, 8, 19),
    'runtime error: cannot convert slice with length 2 to pointer to array with length 4',
  )
  assert.equal(text(0, 0, 200), undefined)
})
