import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeText } from '../../src/base/escape.ts'
import {
  compileRedactions,
  parseRedaction,
  redactArguments,
  redactDeep,
  redactNamed,
} from '../../src/base/redact.ts'
import { defaultConfig } from '../../src/config/index.ts'

const rows: [pattern: string, text: string, result: string][] = [
  ['-token=*', 'serve -token=abc -v', 'serve -token=… -v'],
  ['-token=*', 'serve --TOKEN=abc', 'serve --TOKEN=…'],
  ['-token=*', '-token= x', '-token= x'],
  ['AKIA*', 'key AKIAABCD, AKIAEFGH', 'key AKIA… AKIA…'],
  ['<pw>*</pw>', 'a <pw>one</pw><pw>two</pw>', 'a <pw>…</pw><pw>…</pw>'],
  ['hunter2', 'hunter2 and hunter2', '… and …'],
  ['begin*middle*end', 'beginAmiddleBend', 'begin…middle…end'],
  ['begin*middle*end', 'beginAmiddle', 'beginAmiddle'],
  ['begin*end', 'begin two end', 'begin two end'],
  ['-token=*', `-token=${'x'.repeat(9000)} -v`, '-token=… -v'],
  ['<pw>*</pw>', `<pw>${'x'.repeat(9000)}</pw>`, '<pw>…</pw>'],
  ['PÄSSWORT=*', 'PÄSSWORT=x pässwort=y İ pÄsswort=z', 'PÄSSWORT=… pässwort=… İ pÄsswort=…'],
  [String.raw`CORP\joe%*`, String.raw`-U CORP\joe%secret`, String.raw`-U CORP\joe%…`],
  // As a manifest has the same argument.
  [String.raw`CORP\joe%*`, escapeText(String.raw`-U CORP\joe%secret`), String.raw`-U CORP\x5cjoe%…`],
]
for (const [pattern, text, result] of rows)
  test(`compileRedactions() makes ${JSON.stringify(result)} of ${JSON.stringify(text)} by ${pattern}`, () => {
    assert.equal(compileRedactions([parseRedaction(pattern)])(text), result)
  })

test('compileRedactions() takes out the passwords of URLs whatever is configured', () => {
  assert.equal(compileRedactions([])('postgres://joe:secret@db/x'), 'postgres://joe:…@db/x')
  assert.equal(compileRedactions([])('postgres://joe:p@ss@db/x a@b'), 'postgres://joe:…@db/x a@b')
  assert.equal(compileRedactions([])('https://joe:a@b:c@db/ x'), 'https://joe:…@db/ x')
  assert.equal(compileRedactions([])(`amqp://joe:${'s'.repeat(9000)}@db/x`), 'amqp://joe:…@db/x')
  // A port, and somebody's address behind it.
  const args = ['http://host:80', 'joe@example.org']
  assert.deepEqual(redactArguments(args, compileRedactions([])), args)
})

test('redactArguments() sees an option and its value as two arguments, and keeps their number', () => {
  const redact = compileRedactions(defaultConfig().redact)
  const args = ['serve', '--token', 'two words', '-password=p q', '', '-H', 'Authorization: Bearer abc']
  assert.deepEqual(redactArguments(args, redact), [
    ...['serve', '--token', '…', '-password=…', '', '-H', 'Authorization: Bearer …'],
  ])
  // As a panic prints the words that a database was to be reached by.
  assert.equal(
    redact('dial: host=db user=joe password=p dbname=x'),
    'dial: host=db user=joe password=… dbname=x',
  )
})

test('redactNamed() takes out what would be taken out of NAME=value', () => {
  const redact = compileRedactions(defaultConfig().redact)
  assert.equal(redactNamed('DB_PASSWORD', 'two words', redact), '…')
  assert.equal(redactNamed('LC_ALL', 'x -token=abc', redact), 'x -token=…')
  assert.equal(redactNamed('LC_ALL', 'C', redact), 'C')
  assert.equal(redactNamed('URL', 'db://joe:pw@host/x', redact), 'db://joe:…@host/x')
  assert.equal(redactNamed('GITHUB_KEY', 'a=b', compileRedactions(['GITHUB_*'])), '…')
})

test('redactDeep() knows labels by their names, and leaves the words of a report', () => {
  const redact = compileRedactions(['token=*', 'pan*'])
  const keys = { own: ['kind'], named: ['labels'] }
  const value = { kind: 'panic', text: 'panic', labels: { token: 'a b', kind: 'panda', user: 'joe' } }
  assert.deepEqual(redactDeep(value, redact, keys), {
    ...{ kind: 'panic', text: 'pan…', labels: { token: '…', kind: 'pan…', user: 'joe' } },
  })
})

test('redactDeep() goes through lists and objects', () => {
  const redact = compileRedactions(['hunter2'])
  assert.deepEqual(redactDeep({ a: ['x hunter2'], b: { c: 'hunter2', d: 1, e: null } }, redact), {
    a: ['x …'],
    b: { c: '…', d: 1, e: null },
  })
})

test('compileRedactions() costs the same on any text: it never tries again', () => {
  const pattern = parseRedaction(`aa${'*a'.repeat(100)}`)
  const redact = compileRedactions([pattern, 'aa*b'])
  // With an expression that goes back, this would not end.
  redact('a'.repeat(200_000))
  redact(`${'aa'.repeat(50_000)} ${'http://a:'.repeat(20_000)}`)
  redact(`x://y:${'a:'.repeat(200_000)}`)
  compileRedactions(['aa*b', '-token=*', 'aa*b*a'])(`${'a'.repeat(1 << 20)}${'-token='.repeat(100_000)}`)
  assert.equal(redact('aa').length, 2)
})

for (const pattern of ['*', 'a*', '', ' *', 'ab**c', 'ab\nc', 'x'.repeat(300)])
  test(`parseRedaction() refuses ${JSON.stringify(pattern.slice(0, 20))}`, () => {
    assert.throws(() => parseRedaction(pattern))
  })
