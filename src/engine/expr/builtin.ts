/** Go's builtin functions that only look: len, cap, real, imag, complex, min and max. */
import { UsageError } from '../../base/errors.ts'
import { bytesPlace } from '../type/place.ts'
import { basicType } from '../type/type.ts'
import type { ValueContext } from '../value/context.ts'
import { capacityOf, lengthOf } from '../value/element.ts'
import { describe } from '../value/field.ts'
import { operate } from './arithmetic.ts'
import { type Constant, constantVariable, floatBytes, numberOf, type Operand } from './constant.ts'
import { applyBinary, scalarOf, truthOf } from './operators.ts'

const arity: Readonly<Record<string, number>> = { len: 1, cap: 1, real: 1, imag: 1, complex: 2 }

export const isBuiltin = (name: string): boolean => name in arity || name === 'min' || name === 'max'

/** The value of `name(args…)`; throws UsageError for what the function does not take. */
export function callBuiltin(context: ValueContext, name: string, args: readonly Operand[]): Operand {
  const wanted = arity[name]
  if (wanted === undefined) return extreme(context, name, args)
  if (args.length !== wanted)
    throw new UsageError(`${name} takes ${wanted} value${wanted === 1 ? '' : 's'}, not ${args.length}`)
  const [first, second] = args as readonly [Operand, Operand]
  switch (name) {
    case 'len':
    case 'cap':
      return measure(context, name, first)
    case 'complex':
      return complex(context, first, second)
    default: {
      const value = scalarOf(context, first)
      const float = (part: number): Operand => constant({ kind: 'float', value: part })
      if (value.kind === 'complex') return float(name === 'real' ? value.real : value.imag)
      const real = numberOf(value)
      if (real === undefined) throw new UsageError(`${name} takes a complex number`)
      return float(name === 'real' ? real : 0)
    }
  }
}

function measure(context: ValueContext, name: 'len' | 'cap', operand: Operand): Operand {
  const variable =
    operand.kind === 'variable' ? operand.variable : constantVariable(operand.constant, context.memory)
  const length = (name === 'len' ? lengthOf : capacityOf)(context, variable)
  if (length === undefined) throw new UsageError(`${describe(variable)} has no ${name}`)
  return constant({ kind: 'int', value: BigInt(length) })
}

function complex(context: ValueContext, first: Operand, second: Operand): Operand {
  const parts = [first, second].map(operand => numberOf(scalarOf(context, operand)))
  const [real, imag] = parts
  if (real === undefined || imag === undefined) throw new UsageError('complex takes two real numbers')
  const sizes = [first, second].flatMap(operand =>
    operand.kind === 'variable' ? [operand.variable.type.size] : [],
  )
  if (sizes.length === 0) return constant({ kind: 'complex', real, imag })
  const size = Math.max(...sizes) <= 4 ? 4 : 8
  const type = basicType(`complex${size * 16}`, context.memory.ptrSize)!
  const place = bytesPlace(floatBytes([real, imag], size, context.memory))
  return { kind: 'variable', variable: { name: '', type, place, flags: {} } }
}

function extreme(context: ValueContext, name: string, args: readonly Operand[]): Operand {
  const [first, ...rest] = args
  if (!first) throw new UsageError(`${name} takes at least one value`)
  let best = first
  for (const candidate of rest)
    if (truthOf(context, applyBinary(context, name === 'min' ? '<' : '>', candidate, best))) best = candidate
  // Of a lone value, that it has an order at all.
  operate('<', scalarOf(context, best), scalarOf(context, best))
  return best
}

const constant = (of: Constant): Operand => ({ kind: 'constant', constant: of })
