import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  boolean,
  fields,
  integer,
  listOf,
  mapOf,
  number,
  oneOf,
  optional,
  text,
} from '../../src/base/shape.ts'

const shape = fields({
  name: text,
  size: number,
  count: optional(integer),
  ok: optional(boolean),
  kind: oneOf('a', 'b'),
  parts: listOf(fields({ at: number })),
  labels: optional(mapOf(text)),
})
const whole = { name: 'x', size: 1, kind: 'a', parts: [{ at: 0 }], labels: { k: 'v' }, other: [] }

test('a value that has the shape passes, with fields that are not in it', () => {
  assert.equal(shape(whole, ''), undefined)
  assert.equal(shape({ ...whole, ok: false, labels: undefined }, ''), undefined)
})

test('what is wrong is told with its place', () => {
  const cases: [unknown, string][] = [
    [null, ' is not an object'],
    [[], ' is not an object'],
    [{ ...whole, name: 1 }, 'name is not a text'],
    [{ ...whole, size: JSON.parse('1e999') }, 'size is not a number'],
    [{ ...whole, size: undefined }, 'size is missing'],
    [{ ...whole, count: 0.5 }, 'count is not a whole number below 2^53'],
    [{ ...whole, count: 2 ** 53 }, 'count is not a whole number below 2^53'],
    [{ ...whole, ok: null }, 'ok is not true or false'],
    [{ ...whole, kind: 'c' }, 'kind is not one of a, b'],
    [{ ...whole, parts: {} }, 'parts is not a list'],
    [{ ...whole, parts: [{ at: 0 }, {}] }, 'parts[1].at is missing'],
    [{ ...whole, labels: { k: 1 } }, 'labels.k is not a text'],
    [{ ...whole, labels: JSON.parse('{"__proto__": 1}') }, 'labels.__proto__ is not a text'],
  ]
  for (const [value, problem] of cases) assert.equal(shape(value, ''), problem)
})

test('what a value inherits is not its own', () => {
  assert.equal(shape(Object.create(whole), ''), 'name is missing')
})
