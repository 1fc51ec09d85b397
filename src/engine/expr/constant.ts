/** Untyped constants (spec, "Constants"): literals and what is computed from them, exact as long as they are integers. */
import { bytesPlace, textPlace } from '../type/place.ts'
import { basicType, type Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import { bytesOf } from '../value/field.ts'

export type Constant =
  | { readonly kind: 'int'; readonly value: bigint; readonly rune?: boolean }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly real: number; readonly imag: number }
  | { readonly kind: 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'nil' }

/** What an expression gives: a variable of the program or computed from some, or a constant that has no type yet. */
export type Operand =
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'constant'; readonly constant: Constant }

export interface Machine {
  readonly ptrSize: 4 | 8
  readonly littleEndian: boolean
}

/** The constant as a value of `type`; undefined where the type cannot hold such a one. */
export function constantAs(constant: Constant, type: Type, machine: Machine): Variable | undefined {
  const bytes = constantBytes(constant, type, machine)
  if (bytes === undefined) return undefined
  const place = constant.kind === 'string' ? textPlace(bytes) : bytesPlace(bytes)
  return { name: '', type, place, flags: { constant: true } }
}

/** The constant with the type that Go gives it by default; nil is an unsafe.Pointer. */
export function constantVariable(constant: Constant, machine: Machine): Variable {
  const named = (name: string): Variable => constantAs(constant, basicType(name, machine.ptrSize)!, machine)!
  switch (constant.kind) {
    case 'int':
      // What no int64 holds shows as what its 64 bits are.
      return named(constant.rune ? 'int32' : constant.value >= 1n << 63n ? 'uint64' : 'int')
    case 'float':
      return named('float64')
    case 'complex':
      return named('complex128')
    case 'string':
      return named('string')
    case 'bool':
      return named('bool')
    case 'nil':
      return named('unsafe.Pointer')
  }
}

function constantBytes(constant: Constant, type: Type, machine: Machine): Uint8Array | undefined {
  switch (type.kind) {
    case 'int':
    case 'enum': {
      const value = wholeNumber(constant)
      return value === undefined ? undefined : bytesOf(value, type.size, machine.littleEndian)
    }
    case 'float': {
      const value = numberOf(constant)
      return value === undefined ? undefined : floatBytes([value], type.size, machine)
    }
    case 'complex': {
      const [real, imag] =
        constant.kind === 'complex' ? [constant.real, constant.imag] : [numberOf(constant), 0]
      return real === undefined ? undefined : floatBytes([real, imag], type.size / 2, machine)
    }
    case 'bool':
      return constant.kind === 'bool' ? Uint8Array.of(constant.value ? 1 : 0) : undefined
    case 'string':
      return constant.kind === 'string' ? constant.bytes : undefined
    case 'pointer':
    case 'unsafe.Pointer':
    case 'map':
    case 'chan':
    case 'func':
    case 'slice':
    case 'interface':
      return constant.kind === 'nil' ? new Uint8Array(type.size) : undefined
    default:
      return undefined
  }
}

/** Floats in their IEEE bytes, one behind the other. */
export function floatBytes(values: readonly number[], size: number, { littleEndian }: Machine): Uint8Array {
  const bytes = new Uint8Array(values.length * size)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => {
    if (size === 4) view.setFloat32(i * size, value, littleEndian)
    else if (size >= 8) view.setFloat64(i * size, value, littleEndian)
  })
  return bytes
}

/** The integer that a constant is, also when it was written `1e3`. */
export function wholeNumber(constant: Constant): bigint | undefined {
  if (constant.kind === 'int') return constant.value
  return constant.kind === 'float' && Number.isInteger(constant.value) ? BigInt(constant.value) : undefined
}

export function numberOf(constant: Constant): number | undefined {
  return constant.kind === 'int'
    ? Number(constant.value)
    : constant.kind === 'float'
      ? constant.value
      : undefined
}
