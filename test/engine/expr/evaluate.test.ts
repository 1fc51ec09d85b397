/** Expressions over a real crash: what they print, and what they refuse with which column. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { ExpressionError } from '../../../src/base/errors.ts'
import {
  type Debugger,
  formatValue,
  openDebugger,
  type Stack,
  type StackFrame,
} from '../../../src/engine/index.ts'
import {
  type CrashedPrograms,
  crashPrograms,
  processOf,
  whyNoCrashes,
} from '../../support/crashed-programs.ts'

/** Text of `print`, on one line. */
const values: readonly (readonly [expression: string, text: string])[] = [
  ['number', '3'],
  ['text', '"argument"'],
  ['small', '-5'],
  ['-small', '5'],
  ['small - 124', '127'],
  ['^small', '4'],
  ['big', '9223372036854775808'],
  ['big >> 60', '8'],
  ['big * 2', '0'],
  ['half * 3', '1.5'],
  ['c', '(1 + -2i)'],
  ['real(c) + imag(c)', '-1'],
  ['imag(c + 09i + 0x_1p2i + 0b10i)', '13'],
  ['c == complex(1, -2)', 'true'],
  ['letters[1]', '"bc"'],
  ['letters[1:]', '[]string len: 2, cap: 2, ["bc","def"]'],
  ['letters[2][1]', '101'],
  ['letters[2][1:3]', '"ef"'],
  ['len(letters) + cap(letters)', '6'],
  ['ages["bob"]', '7'],
  ['ages["bob"] < ages["ann"] && number == 3', 'true'],
  ['byCode[2]', '"two"'],
  ['byCode[number - 1]', '"two"'],
  ['o.X', '2'],
  ['o.inner.Y', '3'],
  ['pt.Name', '"first"'],
  ['pt.Next.Name', '"second"'],
  ['(*pt).Next.Next == nil', 'true'],
  ['pt == &o', 'true'],
  ['o.Tags["t"]', '1'],
  ['o.raw[2]', '3'],
  ['o.raw[1:3]', '[]uint8 len: 2, cap: 3, [2,3]'],
  ['any1.(main.inner).X', '2'],
  ['any1.(data).Y', '3'],
  ['any1.X', '2'],
  ['sh.(main.inner)', 'main.inner {X: 2, Y: 3}'],
  ['any1 == sh', 'true'],
  ['none == nil', 'true'],
  ['err != nil', 'true'],
  ['err.msg', '"outside: inside"'],
  ['p.Key', '"k"'],
  ['p', 'main.pair[string,int] {Key: "k", Value: 9}'],
  ['lv', 'high (1)'],
  ['lv == main.high', 'true'],
  ['lv + 5', '6'],
  ['len(ch)', '2'],
  ['cap(ch)', '3'],
  ['d', '1h30m0s'],
  ['d / time.Minute', '90ns'],
  ['int(d / time.Minute)', '90'],
  ['string(bytes)', '"bytes"'],
  ['string(bytes[1:3])', '"yt"'],
  ['[]byte(text)[0]', '97'],
  ['matrix[1][2]', '6'],
  ['len(matrix[0])', '3'],
  ['shared', '"shadow"'],
  ['main.shared', '41'],
  ['hidden', '"package variable"'],
  ['main.hidden + "!"', '"package variable!"'],
  ['nilPointer == nil', 'true'],
  ['nilMap == nil', 'true'],
  ['len(nilMap)', '0'],
  ['nilMap', 'map[string]int nil'],
  ['add.number', '3'],
  ['min(number, 2, 7)', '2'],
  ['max(number, 2)', '3'],
  ['uint8(300)', '44'],
  ['int8(200)', '-56'],
  ['float64(number) / 2', '1.5'],
  ['string(65)', '"A"'],
  ['main.level(1)', 'high (1)'],
  ['*(*int)(&number)', '3'],
  ['*(*main.inner)(&o)', 'main.inner {X: 2, Y: 3}'],
  ['(*main.outer)(0)', '*main.outer nil'],
  ['*(*[2]uint8)(&o.raw)', '[2]uint8 [1,2]'],
  ['o.raw[0]@2', '[2]uint8 [1,2]'],
  ['number@1', '[1]int [3]'],
  ['main.hold::number', '3'],
  ['(*runtime.hchan)(ch).qcount', '2'],
  ['1 << 70 >> 68', '4'],
  ['7 / 2', '3'],
  ['7 / 2.0', '3.5'],
  ["'a' + 1", '98'],
  ['"a" < "b"', 'true'],
  ['$sp == RSP', 'true'],
  ['$pc > 0x1000', 'true'],
  ['true || nilPointer.Name == ""', 'true'],
]

/** The column, and a part of the sentence. */
const refused: readonly (readonly [expression: string, column: number, problem: RegExp])[] = [
  ['missing', 1, /no missing here/],
  ['o.missing', 3, /no field missing/],
  ['main.missing', 6, /no missing in package main/],
  ['number.x', 8, /not a struct/],
  ['letters[3]', 1, /out of range/],
  ['letters["a"]', 9, /not an integer/],
  ['ages[1]', 1, /int|key|string/],
  ['ages["zed"]', 1, /not found/],
  ['*number', 1, /not a pointer/],
  ['nilPointer.Name', 12, /nil/],
  ['number + text', 1, /mismatched types/],
  ['number + "x"', 1, /is no int/],
  ['max(number, 2.5)', 1, /is no int/],
  ['number / 0', 1, /division by zero/],
  ['any1.(main.outer)', 7, /holds a main\.inner/],
  ['none.(data)', 1, /is nil/],
  ['number.(int)', 1, /not an interface/],
  ['use(1)', 1, /not called/],
  ['(*main.nothing)(0)', 1, /no type/],
  ['&1', 1, /nowhere in memory/],
  ['main.level', 6, /is a type/],
  ['time', 1, /is a package/],
  ['len(number)', 1, /no len/],
  ['1 << 100000', 1, /bits/],
  ['xmm99', 1, /no xmm99/],
  ['letters == letters', 1, /can not be compared/],
]

describe('evaluate()', { skip: whyNoCrashes() ?? false }, () => {
  let crashed: CrashedPrograms | undefined
  let engine: Debugger
  let stack: Stack
  let frame: StackFrame

  before(async () => {
    crashed = await crashPrograms('1.26', 'unoptimised', ['expressions'])
    const crash = crashed?.crashes[0]
    assert.ok(crash)
    engine = openDebugger(processOf(crash))
    stack = engine.stack(engine.start()!)
    frame = engine.interesting(stack)!
  })
  after(() => crashed?.[Symbol.dispose]())

  test('looks from the frame where the program itself died', () => {
    assert.equal(frame.function, 'main.hold')
  })

  test('gives what Go would have given', () => {
    for (const [expression, text] of values)
      assert.equal(formatValue(engine.load(engine.evaluate(expression, { stack, frame }))), text, expression)
  })

  test('says where and why it has no value', () => {
    for (const [expression, column, problem] of refused)
      assert.throws(
        () => engine.evaluate(expression, { stack, frame }),
        (error: unknown) => {
          assert.ok(error instanceof ExpressionError, `${expression}: ${error}`)
          assert.match(error.problem, problem, expression)
          assert.equal(error.column, column, expression)
          assert.doesNotMatch(error.message, /\n/)
          return true
        },
      )
  })

  test('works from any frame, and from none', () => {
    for (const position of [
      ...stack.frames.map(frame => ({ stack, frame })),
      { stack: undefined, frame: undefined },
    ])
      assert.equal(formatValue(engine.load(engine.evaluate('main.shared + 1', position))), '42')
    const inHold = engine.evaluate(`runtime.frame(${frame.index}).number`, { stack, frame: stack.frames[0] })
    assert.equal(formatValue(engine.load(inHold)), '3')
  })

  test('ends with a value or an ExpressionError for any mixture of what it knows', () => {
    const operand = fc.constantFrom(
      ...values.map(([expression]) => expression),
      '0',
      'nil',
      '-1',
      '0xc000000000',
      '""',
    )
    const mixed = fc.oneof(
      fc
        .tuple(operand, fc.constantFrom('+', '-', '*', '/', '%', '<<', '==', '<', '&&', '|', '@'), operand)
        .map(parts => parts.join(' ')),
      fc
        .tuple(
          fc.constantFrom(
            'len',
            'cap',
            '*',
            '&',
            '-',
            '!',
            '^',
            'string',
            'int8',
            '[]byte',
            '(*main.outer)',
            'real',
            'min',
          ),
          operand,
        )
        .map(([f, x]) => `${f}(${x})`),
      fc.tuple(operand, operand).map(([a, b]) => `(${a})[${b}]`),
      fc.tuple(operand, operand, operand).map(([a, b, c]) => `(${a})[${b}:${c}]`),
      fc
        .tuple(operand, fc.constantFrom('X', 'Name', 'msg', 'len', '(data)', '(main.inner)', '(int)'))
        .map(([a, b]) => `(${a}).${b}`),
    )
    fc.assert(
      fc.property(mixed, expression => {
        try {
          formatValue(engine.load(engine.evaluate(expression, { stack, frame })))
        } catch (error) {
          assert.ok(error instanceof ExpressionError, `${expression}: ${(error as Error).stack}`)
        }
      }),
      { numRuns: 1500 },
    )
  })
})
