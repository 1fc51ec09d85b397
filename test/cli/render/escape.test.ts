import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromDump, printable, printableLines, toJson } from '../../../src/cli/render/escape.ts'

describe('printable()', () => {
  const rows: [name: string, text: string, printed: string][] = [
    ['plain text stays', 'main.(*cache).put', 'main.(*cache).put'],
    ['text of other scripts stays', 'Größe 猫 👍', 'Größe 猫 👍'],
    ['escape sequences show', '\x1b[31mred\x1b[0m', '\\e[31mred\\e[0m'],
    ['a title sequence shows', '\x1b]0;owned\x07', '\\e]0;owned\\x07'],
    ['C1 CSI shows', '\u009b2J', '\\x9b2J'],
    ['line breaks show', 'a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['NUL and DEL show', '\0\x7f', '\\x00\\x7f'],
    ['a right-to-left override shows', 'cod\u202egp.exe', 'cod\\u{202e}gp.exe'],
    ['isolates show', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['zero-width characters show', 'ma\u200bin', 'ma\\u{200b}in'],
    ['tag characters show', 'a\u{e0041}', 'a\\u{e0041}'],
    ['lone surrogates show', 'a\ud800b', 'a\\u{d800}b'],
    ['a line separator shows', 'a\u2028b', 'a\\u{2028}b'],
  ]
  for (const [name, text, printed] of rows) it(name, () => assert.equal(printable(text), printed))

  it('leaves nothing that moves a cursor, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
        assert.doesNotMatch(printableLines(text).replaceAll('\n', ''), /[\p{Cc}\p{Cs}]/u)
      }),
    )
  })
})

describe('fromDump()', () => {
  it('cleans values and keys at any depth, and keeps the lines of messages', () => {
    assert.deepEqual(
      fromDump({ message: 'a\nb\x1b', comm: 'a\nb', list: [{ 'k\x1b': '\x07' }], n: 1, none: null }),
      { message: 'a\nb\\e', comm: 'a\\nb', list: [{ 'k\\e': '\\x07' }], n: 1, none: null },
    )
  })

  it('keeps no lines of what the program calls a message: labels, variables of its environment, settings', () => {
    for (const key of ['labels', 'environ', 'settings'])
      assert.deepEqual(fromDump({ [key]: { message: 'a\nb', text: '\n', status: '\t' } }), {
        [key]: { message: 'a\\nb', text: '\\n', status: '\\t' },
      })
  })
})

describe('toJson()', () => {
  it('gives the same value back and no raw control', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const json = toJson({ text })
        assert.doesNotMatch(json, /[\p{Cc}\p{Cs}\u202e]/u)
        assert.equal(JSON.parse(json).text, text)
      }),
    )
  })
})
