/** Operators on what expressions give: the types of both sides are brought together first, as Go's specification does. */
import { UsageError } from '../../base/errors.ts'
import { bytesPlace, textPlace } from '../type/place.ts'
import type { Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from '../value/context.ts'
import { comparable } from '../value/equal.ts'
import { bytesOf, describe } from '../value/field.ts'
import { headerWord, readBool, readFloat, readInteger, readText } from '../value/scalar.ts'
import { nameOf, operate, operateUnary } from './arithmetic.ts'
import type { BinaryOperator } from './ast.ts'
import { type Constant, constantAs, floatBytes, type Operand } from './constant.ts'

const maxText = 1 << 20
const comparing: ReadonlySet<BinaryOperator> = new Set(['==', '!=', '<', '<=', '>', '>='])

export function applyUnary(context: ValueContext, operator: '+' | '-' | '!' | '^', of: Operand): Operand {
  const type = of.kind === 'variable' ? of.variable.type : undefined
  const unsigned = type?.kind === 'int' && !type.signed ? type.size * 8 : undefined
  return typed(context, operateUnary(operator, scalarOf(context, of), unsigned), type)
}

export function applyBinary(
  context: ValueContext,
  operator: BinaryOperator,
  left: Operand,
  right: Operand,
): Operand {
  if (isNil(left) || isNil(right)) return compareNil(context, operator, isNil(left) ? right : left)
  const isShift = operator === '<<' || operator === '>>'
  const type = isShift ? typeOfOperand(left) : commonType(context, left, right)
  if (!isScalar(left) || !isScalar(right)) return compareWhole(context, operator, left, right)
  const result = operate(operator, scalarOf(context, left), scalarOf(context, right))
  return comparing.has(operator) || operator === '&&' || operator === '||'
    ? { kind: 'constant', constant: result }
    : typed(context, whole(operator, result, type), type)
}

/** Whether it is true; throws UsageError for what is no boolean. */
export function truthOf(context: ValueContext, operand: Operand): boolean {
  const value = scalarOf(context, operand)
  if (value.kind !== 'bool') throw new UsageError(`${nameOf(value)} is not a boolean`)
  return value.value
}

/** A number, text or truth as a constant; throws UsageError for what is none. */
export function scalarOf(context: ValueContext, operand: Operand): Constant {
  if (operand.kind === 'constant') return operand.constant
  const { variable } = operand
  switch (variable.type.kind) {
    case 'bool':
      return { kind: 'bool', value: readBool(variable) }
    case 'int':
    case 'enum':
    case 'pointer':
    case 'unsafe.Pointer':
    case 'chan':
      return { kind: 'int', value: readInteger(context, variable) }
    case 'float':
      return { kind: 'float', value: readFloat(context, variable) }
    case 'complex':
      return { kind: 'complex', real: readFloat(context, variable), imag: readFloat(context, variable, 1) }
    case 'string': {
      const { bytes, length } = readText(context, variable, maxText)
      if (bytes.length < length) throw new UsageError(`${describe(variable)} is too long`)
      return { kind: 'string', bytes }
    }
    default:
      throw new UsageError(`the operator is not defined on ${describe(variable)}`)
  }
}

function isScalar(operand: Operand): boolean {
  if (operand.kind === 'constant') return true
  return ['bool', 'int', 'enum', 'float', 'complex', 'string'].includes(operand.variable.type.kind)
}

const isNil = (operand: Operand): boolean => operand.kind === 'constant' && operand.constant.kind === 'nil'
const typeOfOperand = (operand: Operand): Type | undefined =>
  operand.kind === 'variable' ? operand.variable.type : undefined

/** The type of both; of a constant and a variable that of the variable, if it can hold the constant. */
function commonType(context: ValueContext, left: Operand, right: Operand): Type | undefined {
  const [a, b] = [typeOfOperand(left), typeOfOperand(right)]
  if (a && b) {
    if (a.name === b.name || (a.language === 'c' && b.language === 'c')) return a
    // An interface compares with what it may hold; C's numbers with each other.
    if (a.kind === 'interface' || b.kind === 'interface') return a
    throw new UsageError(`mismatched types ${a.name} and ${b.name}`)
  }
  const type = a ?? b
  const literal =
    left.kind === 'constant' ? left.constant : right.kind === 'constant' ? right.constant : undefined
  if (type && literal && type.kind !== 'interface' && !constantAs(literal, type, context.memory)) {
    const address = type.kind === 'pointer' || type.kind === 'unsafe.Pointer' || type.kind === 'chan'
    if (!(address && literal.kind === 'int')) throw new UsageError(`${nameOf(literal)} is no ${type.name}`)
  }
  return type
}

/** Division of integers cuts off, also where one was written as a float: `x / 2.0`. */
function whole(operator: BinaryOperator, result: Constant, type: Type | undefined): Constant {
  if (type?.kind !== 'int' || result.kind !== 'float') return result
  if (!Number.isFinite(result.value))
    throw new UsageError(operator === '/' ? 'division by zero' : 'no integer')
  return { kind: 'int', value: BigInt(Math.trunc(result.value)) }
}

/** The result in the type of its operands, wrapped round as the machine does. */
function typed(context: ValueContext, result: Constant, type: Type | undefined): Operand {
  if (!type) return { kind: 'constant', constant: result }
  const { littleEndian } = context.memory
  const made = (bytes: Uint8Array): Operand => ({
    kind: 'variable',
    variable: { name: '', type, place: bytesPlace(bytes), flags: {} },
  })
  if (result.kind === 'int' && type.kind !== 'float' && type.kind !== 'complex')
    return made(bytesOf(result.value, type.size, littleEndian))
  if (result.kind === 'float' && type.kind === 'float')
    return made(floatBytes([result.value], type.size, context.memory))
  if (result.kind === 'complex' && type.kind === 'complex')
    return made(floatBytes([result.real, result.imag], type.size / 2, context.memory))
  if (result.kind === 'string')
    return { kind: 'variable', variable: { name: '', type, place: textPlace(result.bytes), flags: {} } }
  const variable = constantAs(result, type, context.memory)
  return variable
    ? { kind: 'variable', variable: { ...variable, flags: {} } }
    : { kind: 'constant', constant: result }
}

function compareNil(context: ValueContext, operator: BinaryOperator, other: Operand): Operand {
  if (operator !== '==' && operator !== '!=')
    throw new UsageError(`operator ${operator} is not defined on nil`)
  const equal = other.kind === 'constant' ? isNil(other) : isNilVariable(context, other.variable)
  return { kind: 'constant', constant: { kind: 'bool', value: equal === (operator === '==') } }
}

function isNilVariable(context: ValueContext, variable: Variable): boolean {
  switch (variable.type.kind) {
    case 'pointer':
    case 'unsafe.Pointer':
    case 'map':
    case 'chan':
    case 'func':
      return readInteger(context, variable) === 0n
    case 'slice':
    case 'interface':
      return headerWord(context, variable, 0) === 0n
    default:
      throw new UsageError(`${describe(variable)} is never nil`)
  }
}

function compareWhole(
  context: ValueContext,
  operator: BinaryOperator,
  left: Operand,
  right: Operand,
): Operand {
  const address = addressComparison(context, operator, left, right)
  if (address) return address
  if (operator !== '==' && operator !== '!=') {
    const odd = [left, right].find(operand => !isScalar(operand))
    throw new UsageError(
      `operator ${operator} is not defined on ${odd?.kind === 'variable' ? describe(odd.variable) : 'it'}`,
    )
  }
  const dynamic = typeOfOperand(left)?.kind === 'interface' || typeOfOperand(right)?.kind === 'interface'
  const text = (operand: Operand, other: Operand): string | undefined => {
    if (operand.kind === 'variable') return comparable(context, operand.variable, dynamic)
    const type = typeOfOperand(other)
    const as =
      type && type.kind !== 'interface' ? constantAs(operand.constant, type, context.memory) : undefined
    if (!as) throw new UsageError(`${nameOf(operand.constant)} can not be compared with it`)
    return comparable(context, as, dynamic)
  }
  const [a, b] = [text(left, right), text(right, left)]
  const equal = a !== undefined && a === b
  return { kind: 'constant', constant: { kind: 'bool', value: equal === (operator === '==') } }
}

/** Addresses compare with numbers and with each other: `p == 0xc000012080`, `$pc > main.main`. */
function addressComparison(
  context: ValueContext,
  operator: BinaryOperator,
  left: Operand,
  right: Operand,
): Operand | undefined {
  const whole = (operand: Operand): boolean =>
    operand.kind === 'constant'
      ? operand.constant.kind === 'int'
      : ['pointer', 'unsafe.Pointer', 'chan', 'int'].includes(operand.variable.type.kind)
  if (!comparing.has(operator) || !whole(left) || !whole(right)) return undefined
  return { kind: 'constant', constant: operate(operator, scalarOf(context, left), scalarOf(context, right)) }
}
