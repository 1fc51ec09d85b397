/**
 * What lies on the stack of an expression: an address-sized integer, or a value of a base type (DWARF 5 section 2.5.1.1
 * and 2.5.1.6). The bits of a value are kept as they would lie in memory, without a sign.
 */
import type { BaseType } from './debug-info.ts'

export interface Operand {
  readonly bits: bigint
  /** Absent for the generic type: 64 bits, signed where DWARF says so. */
  readonly type?: BaseType
}

export type Arithmetic = 'plus' | 'minus' | 'mul' | 'div' | 'mod'
export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

const scratch = new DataView(new ArrayBuffer(8))
const bitsOf = (type: BaseType | undefined): number => (type ? type.size * 8 : 64)

/** Whether values of the type can be counted with: floats of 4 and 8 bytes, integers of up to 16. */
export function isKnown({ size, encoding }: BaseType): boolean {
  return encoding === 'float' ? size === 4 || size === 8 : size >= 1 && size <= 16
}

/** Bits of any length cut to the type's. */
export function operandOf(bits: bigint, type?: BaseType): Operand {
  return { bits: BigInt.asUintN(bitsOf(type), bits), ...(type ? { type } : {}) }
}

/** The integer that the bits are; of the generic type as a signed one, unless `unsigned`. */
export function integerOf({ bits, type }: Operand, unsigned = type?.encoding === 'unsigned'): bigint {
  return unsigned ? bits : BigInt.asIntN(bitsOf(type), bits)
}

function floatOf({ bits, type }: Operand): number {
  scratch.setBigUint64(0, type?.size === 4 ? bits << 32n : bits)
  return type?.size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0)
}

function fromFloat(value: number, type: BaseType): Operand {
  if (type.size === 4) scratch.setFloat32(0, value)
  else scratch.setFloat64(0, value)
  return { bits: type.size === 4 ? BigInt(scratch.getUint32(0)) : scratch.getBigUint64(0), type }
}

/** Undefined where it divides by zero. */
export function arithmetic(operation: Arithmetic, a: Operand, b: Operand): Operand | undefined {
  const type = a.type ?? b.type
  if (type?.encoding === 'float') return fromFloat(floats[operation](floatOf(a), floatOf(b)), type)
  // The generic type divides as signed and takes the remainder as unsigned (section 2.5.1.4).
  const unsigned = type ? type.encoding === 'unsigned' : operation === 'mod'
  const [x, y] = [integerOf(a, unsigned), integerOf(b, unsigned)]
  if (y === 0n && (operation === 'div' || operation === 'mod')) return undefined
  return operandOf(integers[operation](x, y), type)
}

const floats: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
}
const integers: Readonly<Record<Arithmetic, (a: bigint, b: bigint) => bigint>> = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
}

export function compare(comparison: Comparison, a: Operand, b: Operand): boolean {
  const isFloat = (a.type ?? b.type)?.encoding === 'float'
  return isFloat ? holds(comparison, floatOf(a), floatOf(b)) : holds(comparison, integerOf(a), integerOf(b))
}

function holds<T extends number | bigint>(comparison: Comparison, a: T, b: T): boolean {
  switch (comparison) {
    case 'eq':
      return a === b
    case 'ne':
      return a !== b
    case 'lt':
      return a < b
    case 'le':
      return a <= b
    case 'gt':
      return a > b
    case 'ge':
      return a >= b
  }
}

export function negated(value: Operand): Operand {
  if (value.type?.encoding === 'float') return fromFloat(-floatOf(value), value.type)
  return operandOf(-integerOf(value), value.type)
}

export function absolute(value: Operand): Operand {
  const negative =
    value.type?.encoding === 'float'
      ? floatOf(value) < 0
      : value.type?.encoding !== 'unsigned' && integerOf(value) < 0n
  return negative ? negated(value) : value
}

/** DW_OP_convert: the same number in another type; floats lose their fraction. Undefined for what no integer is. */
export function converted(value: Operand, type: BaseType | undefined): Operand | undefined {
  const fromIsFloat = value.type?.encoding === 'float'
  if (type?.encoding === 'float')
    return fromFloat(fromIsFloat ? floatOf(value) : Number(integerOf(value)), type)
  if (!fromIsFloat) return operandOf(integerOf(value), type)
  const number = Math.trunc(floatOf(value))
  return Number.isFinite(number) ? operandOf(BigInt(number), type) : undefined
}
