import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Death, Frame } from '../../../src/engine/index.ts'
import { signatureOf } from '../../../src/engine/report/signature.ts'

const frame = (name: string, line = 1, more: Partial<Frame> = {}): Frame => ({
  ...{ function: name, file: '/src/a.go', line, pc: '0x1', inlined: false, args: '' },
  ...more,
})
const death = (kind: Death['kind'], message: string): Death => ({ kind, message, verdict: '', panics: [] })
const text = (message: string, frames: Frame[], kind: Death['kind'] = 'panic'): string =>
  signatureOf(death(kind, message), frames).text

test('signatureOf takes the three innermost functions that are not the runtime', () => {
  const frames = ['panic', 'runtime.goPanicIndex', 'main.a', 'main.b', 'sync.(*Once).Do', 'main.main'].map(
    name => frame(name),
  )
  assert.equal(text('panic: x', frames), 'panic | panic: x | main.a | main.b | sync.(*Once).Do')
})

test('signatureOf is the same wherever the code lies', () => {
  const one = signatureOf(death('panic', 'panic: x'), [
    frame('main.a', 7, { pc: '0x1234', offset: 3, args: '0x1' }),
  ])
  const other = signatureOf(death('panic', 'panic: x'), [
    frame('main.a', 9, { pc: '0x99', offset: 8, args: '0x2' }),
  ])
  assert.deepEqual(one, other)
})

test('signatureOf takes out what varies in a message', () => {
  const same = (a: string, b: string): void => assert.equal(text(a, []), text(b, []))
  same(
    'panic: runtime error: index out of range [5] with length 3',
    'panic: runtime error: index out of range [17] with length 0',
  )
  same('panic: user "ann" not found', 'panic: user "bob \\" or so" not found')
  same('panic: (main.T) 0xc000012345', 'panic: (main.T) 0xc0000a0000')
  same('panic: +1.500000e+000', 'panic: -2.250000e-010')
  assert.notEqual(text('panic: a', []), text('panic: b', []))
})

test('signatureOf passes over wrappers, and over the names under which the runtime hides', () => {
  const frames = [
    frame('main.T.f', 1, { hidden: true }),
    frame('sync.runtime_SemacquireMutex'),
    frame('main.a'),
  ]
  assert.equal(text('fatal error: x', frames, 'fatal'), 'fatal | fatal error: x | main.a')
})

test('signatureOf passes over abort and what it calls', () => {
  const c = (name: string): Frame => frame(name, 0, { file: '/lib/libc.so.6', module: '/lib/libc.so.6' })
  const frames = [c('??'), c('raise'), c('abort'), c('check'), c('??'), c('main')]
  assert.equal(text('SIGABRT: abort', frames, 'signal'), 'signal | SIGABRT: abort | check | libc.so.6 | main')
})

test('signatureOf says nothing of the place for signals from outside', () => {
  assert.equal(text('SIGQUIT: quit', [frame('main.a')], 'killed'), 'killed | SIGQUIT: quit')
})

test('signatureOf is stable for ever', () => {
  assert.equal(signatureOf(death('panic', 'panic: x'), [frame('main.a')]).key, 'a9edf163dabb9791')
})
