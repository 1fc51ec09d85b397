import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printComplex, printFloat } from '../../../src/engine/runtime/panic-number.ts'

const old = { shortest: false }
const since126 = { shortest: true }

/** What `print` of Go 1.25 and 1.26 wrote for the same numbers. */
const rows: [number, string, string][] = [
  [0, '+0.000000e+000', '0'],
  [-0, '-0.000000e+000', '-0'],
  [1, '+1.000000e+000', '1'],
  [1.5, '+1.500000e+000', '1.5'],
  [-2.25, '-2.250000e+000', '-2.25'],
  [100000, '+1.000000e+005', '100000'],
  [1000000, '+1.000000e+006', '1e+06'],
  [123456789, '+1.234568e+008', '1.23456789e+08'],
  [123456.789, '+1.234568e+005', '123456.789'],
  [0.0001, '+1.000000e-004', '0.0001'],
  [0.00001, '+1.000000e-005', '1e-05'],
  [1e100, '+1.000000e+100', '1e+100'],
  [5e-324, '+4.940656e-324', '5e-324'],
  [Number.NaN, 'NaN', 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf', '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf', '-Inf'],
]

test('printFloat writes float64 as print does', () => {
  for (const [value, before, after] of rows) {
    assert.equal(printFloat(value, 64, old), before)
    assert.equal(printFloat(value, 64, since126), after)
  }
})

test('printFloat writes float32 with as few digits as tell it', () => {
  assert.equal(printFloat(Math.fround(0.1), 32, since126), '0.1')
  assert.equal(printFloat(Math.fround(16777216), 32, since126), '1.6777216e+07')
  assert.equal(printFloat(Math.fround(3.14), 32, old), '+3.140000e+000')
})

test('printComplex puts a sign before the imaginary part', () => {
  assert.equal(printComplex(1, 2, 128, old), '(+1.000000e+000+2.000000e+000i)')
  assert.equal(printComplex(1, 2, 128, since126), '(1+2i)')
  assert.equal(printComplex(1, -2, 64, since126), '(1-2i)')
  assert.equal(printComplex(1, Number.POSITIVE_INFINITY, 128, since126), '(1+Infi)')
})
