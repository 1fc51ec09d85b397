/** Operators on numbers, texts and truths, once both sides are of one type: what Go would have computed. */
import { UsageError } from '../../base/errors.ts'
import type { BinaryOperator } from './ast.ts'
import type { Constant } from './constant.ts'

/** Larger than any number of a program; bounds the work of `1 << 1 << …`. */
const maxBits = 4096n
const maxText = 1 << 20

/** The value of an operator on two constants of the same kind (numbers are brought to one kind first). */
export function operate(operator: BinaryOperator, left: Constant, right: Constant): Constant {
  if (operator === '<<' || operator === '>>') return shift(operator, left, right)
  const [a, b] = alike(left, right)
  if (a.kind === 'int' && b.kind === 'int') return integers(operator, a.value, b.value)
  if (a.kind === 'float' && b.kind === 'float') return floats(operator, a.value, b.value)
  if (a.kind === 'complex' && b.kind === 'complex') return complexes(operator, a, b)
  if (a.kind === 'string' && b.kind === 'string') return texts(operator, a.bytes, b.bytes)
  if (a.kind === 'bool' && b.kind === 'bool') return truths(operator, a.value, b.value)
  if (a.kind === 'nil' && b.kind === 'nil') throw undefinedOn(operator, 'nil')
  throw new UsageError(`mismatched constants: ${nameOf(left)} ${operator} ${nameOf(right)}`)
}

/** `-x`, `+x`, `!x`, `^x` of a constant; `bits` are those of its type where it has one, and it is unsigned. */
export function operateUnary(
  operator: '+' | '-' | '!' | '^',
  { ...of }: Constant,
  unsignedBits?: number,
): Constant {
  if (operator === '!' && of.kind === 'bool') return { kind: 'bool', value: !of.value }
  if (operator === '^' && of.kind === 'int') {
    const value = ~of.value
    return { kind: 'int', value: unsignedBits === undefined ? value : BigInt.asUintN(unsignedBits, value) }
  }
  if (operator === '+' && (of.kind === 'int' || of.kind === 'float' || of.kind === 'complex')) return of
  if (operator === '-' && of.kind === 'int') return { kind: 'int', value: -of.value }
  if (operator === '-' && of.kind === 'float') return { kind: 'float', value: -of.value }
  if (operator === '-' && of.kind === 'complex') return { kind: 'complex', real: -of.real, imag: -of.imag }
  throw undefinedOn(operator, nameOf(of))
}

function shift(operator: '<<' | '>>', left: Constant, right: Constant): Constant {
  if (left.kind !== 'int') throw undefinedOn(operator, nameOf(left))
  if (right.kind !== 'int' || right.value < 0n)
    throw new UsageError('a shift count is an integer of at least 0')
  if (operator === '>>')
    return { kind: 'int', value: left.value >> (right.value > maxBits ? maxBits : right.value) }
  if (right.value > maxBits) throw tooLarge()
  return { kind: 'int', value: bounded(left.value << right.value) }
}

function alike(left: Constant, right: Constant): readonly [Constant, Constant] {
  const order = ['int', 'float', 'complex']
  const kind = order[Math.max(order.indexOf(left.kind), order.indexOf(right.kind))]
  if (!order.includes(left.kind) || !order.includes(right.kind)) return [left, right]
  const as = (of: Constant): Constant => {
    if (of.kind === kind || of.kind === 'complex') return of
    const value = Number((of as { value: number | bigint }).value)
    return kind === 'float' ? { kind, value } : { kind: 'complex', real: value, imag: 0 }
  }
  return [as(left), as(right)]
}

function integers(operator: BinaryOperator, a: bigint, b: bigint): Constant {
  const int = (value: bigint): Constant => ({ kind: 'int', value: bounded(value) })
  switch (operator) {
    case '+':
      return int(a + b)
    case '-':
      return int(a - b)
    case '*':
      return int(a * b)
    case '/':
    case '%':
      if (b === 0n) throw new UsageError('division by zero')
      return int(operator === '/' ? a / b : a % b)
    case '&':
      return int(a & b)
    case '|':
      return int(a | b)
    case '^':
      return int(a ^ b)
    case '&^':
      return int(a & ~b)
    default:
      return compared(operator, a < b ? -1 : a > b ? 1 : 0, 'integers')
  }
}

function floats(operator: BinaryOperator, a: number, b: number): Constant {
  const float = (value: number): Constant => ({ kind: 'float', value })
  switch (operator) {
    case '+':
      return float(a + b)
    case '-':
      return float(a - b)
    case '*':
      return float(a * b)
    case '/':
      return float(a / b)
    case '!=':
      return { kind: 'bool', value: a !== b }
    default:
      // A NaN is neither less, nor equal, nor greater.
      return compared(operator, a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN, 'floats')
  }
}

type Complex = Extract<Constant, { kind: 'complex' }>

function complexes(operator: BinaryOperator, a: Complex, b: Complex): Constant {
  const complex = (real: number, imag: number): Constant => ({ kind: 'complex', real, imag })
  switch (operator) {
    case '+':
      return complex(a.real + b.real, a.imag + b.imag)
    case '-':
      return complex(a.real - b.real, a.imag - b.imag)
    case '*':
      return complex(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)
    case '/': {
      const scale = b.real * b.real + b.imag * b.imag
      return complex((a.real * b.real + a.imag * b.imag) / scale, (a.imag * b.real - a.real * b.imag) / scale)
    }
    case '==':
    case '!=':
      return { kind: 'bool', value: (a.real === b.real && a.imag === b.imag) === (operator === '==') }
    default:
      throw undefinedOn(operator, 'complex numbers')
  }
}

function texts(operator: BinaryOperator, a: Uint8Array, b: Uint8Array): Constant {
  if (operator !== '+') return compared(operator, order(a, b), 'strings')
  if (a.length + b.length > maxText) throw new UsageError('the text is too long')
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return { kind: 'string', bytes }
}

/** Byte by byte, as Go orders strings. */
function order(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1
  return Math.sign(a.length - b.length)
}

function truths(operator: BinaryOperator, a: boolean, b: boolean): Constant {
  switch (operator) {
    case '&&':
      return { kind: 'bool', value: a && b }
    case '||':
      return { kind: 'bool', value: a || b }
    case '==':
    case '!=':
      return { kind: 'bool', value: (a === b) === (operator === '==') }
    default:
      throw undefinedOn(operator, 'booleans')
  }
}

function compared(operator: BinaryOperator, sign: number, what: string): Constant {
  const answers: Partial<Record<BinaryOperator, boolean>> = {
    '==': sign === 0,
    '!=': sign !== 0,
    '<': sign < 0,
    '<=': sign <= 0,
    '>': sign > 0,
    '>=': sign >= 0,
  }
  const value = answers[operator]
  if (value === undefined) throw undefinedOn(operator, what)
  return { kind: 'bool', value }
}

function bounded(value: bigint): bigint {
  if (value >> maxBits !== 0n && value >> maxBits !== -1n) throw tooLarge()
  return value
}

const tooLarge = (): UsageError => new UsageError(`the number has more than ${maxBits} bits`)

const undefinedOn = (operator: string, what: string): UsageError =>
  new UsageError(`operator ${operator} is not defined on ${what}`)

export function nameOf(constant: Constant): string {
  switch (constant.kind) {
    case 'int':
    case 'float':
    case 'bool':
      return String(constant.value)
    case 'complex':
      return `(${constant.real} + ${constant.imag}i)`
    case 'string':
      return JSON.stringify(new TextDecoder().decode(constant.bytes.subarray(0, 64)))
    case 'nil':
      return 'nil'
  }
}
