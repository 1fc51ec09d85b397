import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExpressionError } from '../../../src/base/errors.ts'
import { parse } from '../../../src/engine/expr/parser.ts'
import { show } from '../../../src/engine/expr/show.ts'

/** What is typed, and how it was understood: with the parentheses that precedence puts there. */
const understood: readonly (readonly [source: string, shown: string])[] = [
  ['a', 'a'],
  ['a.b.c', 'a.b.c'],
  ['a->b', 'a.b'],
  ['*a.b', '*a.b'],
  ['(*a).b', '(*a).b'],
  ['&a[1]', '&a[1]'],
  ['-a + b * c', '(-a + (b * c))'],
  ['a || b && c == d', '(a || (b && (c == d)))'],
  ['a << 2 + 1', '((a << 2) + 1)'],
  ['a &^ b | c', '((a &^ b) | c)'],
  ['a - b - c', '((a - b) - c)'],
  ['len(m["k"])', 'len(m["k"])'],
  ['s[100:200]', 's[100:200]'],
  ['s[:n]', 's[:n]'],
  ['m[64:]', 'm[64:]'],
  ['x.(main.T).f', 'x.(main.T).f'],
  ['x.(*main.T)', 'x.(*main.T)'],
  ['x.(data)', 'x.(data)'],
  ['*(*main.T)(0xc000010000)', '*(*main.T)(824633786368)'],
  ['"net/http".DefaultClient.Timeout', '"net/http".DefaultClient.Timeout'],
  ['(*"a/b".T)(0x10)', '(*"a/b".T)(16)'],
  ['*(*[4]uint8)(p)', '*(*[4]uint8)(p)'],
  ['[]byte("x")', '[]byte("x")'],
  ['(map[string][]*int)(x)', '(map[string][]*int)(x)'],
  ['(<-chan int)(x)', '(<-chan int)(x)'],
  ['(chan<- int)(x)', '(chan<- int)(x)'],
  ['*(*main.Pair[int,map[string]int])(1)', '*(*main.Pair[int, map[string]int])(1)'],
  ['(func(int) string)(f)', '(func(int) string)(f)'],
  ['*(*struct { A int; B string })(p)', '*(*struct { A int; B string })(p)'],
  ['*(*struct foo)(p)', '*(*struct foo)(p)'],
  ['runtime.frame(1).x', 'runtime.frame(1).x'],
  ['$pc + 0x10', '($pc + 16)'],
  ['*argv@argc', '(*argv @ argc)'],
  ["'main.c'::count", "'main.c'::count"],
  ['main::count', "'main'::count"],
  ["'a' + 1", '(97 + 1)'],
  ['"\\u00e9\\xff\\101\\n"', '"é\ufffdA\\n"'],
  ['`a\\b`', '"a\\\\b"'],
  ['0b101 + 0o17 + 017 + 1_000', '(((5 + 15) + 15) + 1000)'],
  ['1.5e3 + .5 + 0x1p-2 + 2i', '(((1500 + 0.5) + 0.25) + 2i)'],
  ['0x.8p1 + 0x1.p1', '(1 + 2)'],
  ['^x', '^x'],
  ['!ok', '!ok'],
]

test('parse() reads expressions as Go and dlv do', () => {
  for (const [source, shown] of understood) assert.equal(show(parse(source)), shown, source)
})

const refused: readonly (readonly [source: string, column: number, problem: RegExp])[] = [
  ['', 1, /empty/],
  ['a +', 4, /it ends where a value should be/],
  ['a b', 3, /"b" where an operator should be/],
  ['(a', 3, /it ends where \) should be/],
  ['a[1', 4, /\]/],
  ['a = 1', 3, /nothing can be changed/],
  ['<-ch', 1, /nothing can be received/],
  ['a.', 3, /the name of a field/],
  ['"abc', 1, /no end/],
  ['"\\q"', 1, /not a string/],
  ['0x', 1, /not a number/],
  ['0x.p1', 1, /not a number/],
  ['0xp1', 1, /not a number/],
  ['0xi', 1, /not a number/],
  ['1 + 0x.p1i', 5, /not a number/],
  ['08', 1, /not a number/],
  ['12ab', 1, /not a number/],
  ['a # b', 3, /"#" begins nothing/],
  ['s[1:2:3]', 6, /third index/],
  ['main.T{1}', 7, /not built/],
  ["'abc'", 1, /double quotes/],
  ['('.repeat(500), 200, /too deeply/],
  ['1e999', 1, /too large/],
]

test('parse() says where and why it is no expression', () => {
  for (const [source, column, problem] of refused)
    assert.throws(
      () => parse(source),
      (error: unknown) => {
        assert.ok(error instanceof ExpressionError, source)
        assert.match(error.problem, problem, source)
        if (source.length < 100) assert.equal(error.column, column, source)
        return true
      },
    )
})

test('parse() gives a tree or an ExpressionError for any text', () => {
  const pieces = [
    ...[
      'a',
      'main',
      '.',
      '(',
      ')',
      '[',
      ']',
      '*',
      '&',
      '+',
      '"x"',
      '0x1',
      '1.5',
      ' ',
      ':',
      ',',
      '{',
      '}',
      'map',
    ],
    ...['chan', 'struct', 'func', 'interface', '<-', "'", '`', '\\', '$', '@', '::', '\u0000', 'é', '\ud800'],
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(fc.constantFrom(...pieces)).map(list => list.join('')),
  )
  fc.assert(
    fc.property(text, source => {
      try {
        const shown = show(parse(source))
        assert.equal(show(parse(shown)), shown)
      } catch (error) {
        assert.ok(error instanceof ExpressionError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

test('parse() answers for long chains and deep nests without running out of stack', () => {
  for (const source of [
    `a${'.a'.repeat(8000)}`,
    '*'.repeat(16_000),
    `a${'+a'.repeat(8000)}`,
    '['.repeat(16_000),
    '1'.repeat(16_000),
  ])
    try {
      show(parse(source))
    } catch (error) {
      assert.ok(error instanceof ExpressionError, String(error))
    }
})
