/**
 * Expressions to values, over a program that is dead: reading memory and registers is all that evaluation does. Nothing
 * is called, nothing is written, and the work is bounded by the length of the expression.
 */
import { ExpressionError, SinkError } from '../../base/errors.ts'
import { bytesPlace } from '../type/place.ts'
import { arrayOf, basicType, pointerTo, type Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from '../value/context.ts'
import { indexOf, windowOf } from '../value/element.ts'
import { bytesOf, deref, describe, fieldOf } from '../value/field.ts'
import { dynamicOf } from '../value/interface.ts'
import { readInteger } from '../value/scalar.ts'
import type { Node } from './ast.ts'
import { callBuiltin, isBuiltin } from './builtin.ts'
import { type Constant, constantVariable, type Operand } from './constant.ts'
import { convert } from './convert.ts'
import type { Names } from './names.ts'
import { applyBinary, applyUnary, truthOf } from './operators.ts'
import { parse } from './parser.ts'
import { show } from './show.ts'
import { typeOf } from './type-expression.ts'

export interface EvaluationContext {
  readonly values: ValueContext
  readonly names: Names
}

/** The value of an expression; throws ExpressionError, which says at which column and why. */
export function evaluate(source: string, context: EvaluationContext): Variable {
  const operand = new Evaluation(source, context).value(parse(source))
  return variableOf(operand, context.values)
}

/** What `whatis` wants: the type of an expression, or the type that it names. */
export function typeOfExpression(source: string, context: EvaluationContext): Type {
  const node = parse(source)
  const evaluation = new Evaluation(source, context)
  try {
    return variableOf(evaluation.value(node), context.values).type
  } catch (error) {
    const type = error instanceof ExpressionError ? evaluation.type(node) : undefined
    if (type) return type
    throw error
  }
}

const variableOf = (operand: Operand, { memory }: ValueContext): Variable =>
  operand.kind === 'variable' ? operand.variable : constantVariable(operand.constant, memory)

class Evaluation {
  readonly #source: string
  readonly #values: ValueContext
  readonly #names: Names

  constructor(source: string, { values, names }: EvaluationContext) {
    this.#source = source
    this.#values = values
    this.#names = names
  }

  value(node: Node): Operand {
    switch (node.kind) {
      case 'literal':
        return constant(literalOf(node))
      case 'paren':
        return this.value(node.of)
      case 'name':
        return this.#name(node)
      case 'register':
        return variable(this.#register(node, node.name.toLowerCase()))
      case 'scoped': {
        const found = this.#names.scoped(node.scope, node.name)
        return variable(found ?? this.#fail(node, `${node.scope} has no variable ${node.name}`))
      }
      case 'select':
        return this.#select(node)
      case 'assert':
        return this.#assert(node)
      case 'index':
        return this.#index(node)
      case 'slice':
        return this.#slice(node)
      case 'call':
        return this.#call(node)
      case 'deref':
        return this.#guard(node, () => variable(deref(this.#values, this.#variable(node.of))))
      case 'unary':
        return this.#unary(node)
      case 'binary':
        return this.#binary(node)
      case 'repeat':
        return this.#repeat(node)
      case 'arrayType':
      case 'mapType':
      case 'chanType':
      case 'textType':
        return this.#fail(node, 'this is a type, not a value')
    }
  }

  type(node: Node): Type | undefined {
    return typeOf(node, this.#names, this.#values.memory.ptrSize)
  }

  #variable(node: Node): Variable {
    return variableOf(this.value(node), this.#values)
  }

  #name(node: Extract<Node, { kind: 'name' }>): Operand {
    const { name } = node
    const found = this.#guard(node, () => this.#names.variable(name))
    if (found) return variable(found)
    if (name === 'true' || name === 'false') return constant({ kind: 'bool', value: name === 'true' })
    if (name === 'nil') return constant({ kind: 'nil' })
    // RAX, _RAX or rax: what the program calls so goes first. AX and CH are registers only when they are shouted.
    const register = name.replace(/^_+/, '')
    const shouted = register === register.toUpperCase()
    if ((shouted || register.length > 2) && this.#names.isRegister(register.toLowerCase()))
      return variable(this.#register(node, register.toLowerCase()))
    if (this.type(node)) this.#fail(node, `${name} is a type, not a value`)
    if (this.#names.isPackage(name)) this.#fail(node, `${name} is a package: what of it?`)
    return this.#fail(node, `there is no ${name} here${this.#near(name)}`)
  }

  #register(node: Node, name: string): Variable {
    const known = this.#names.register(name)
    if (known) return known
    if (this.#names.isRegister(name)) this.#fail(node, `the value of ${name} is not known in this frame`)
    return this.#fail(node, `there is no register ${name}`)
  }

  #near(name: string): string {
    const similar = this.#names.similar?.(name) ?? []
    return similar.length === 0 ? '' : ` (there is ${similar.join(', ')})`
  }

  #select(node: Extract<Node, { kind: 'select' }>): Operand {
    const { of, name } = node
    const tail = { ...node, at: node.end - name.length }
    const member = this.#member(node)
    if (member) return member
    const register = of.kind === 'name' || of.kind === 'register' ? registerView(name) : undefined
    const holder = this.#variable(of)
    if (register && holder.place.addr === undefined && holder.type.kind === 'int') {
      const elem = basicType(register, this.#values.memory.ptrSize)!
      const count = Math.max(1, Math.floor(holder.type.size / elem.size))
      return variable({ ...holder, type: arrayOf(elem, count) })
    }
    return this.#guard(tail, () => {
      const field = fieldOf(this.#values, holder, name)
      return variable(field ?? this.#fail(tail, `${describe(holder)} has no field ${name}`))
    })
  }

  /** `package.name`, where no variable hides the package; what only debuggers know; `runtime.frame(1).name`. */
  #member({ of, name, ...span }: Extract<Node, { kind: 'select' }>): Operand | undefined {
    const node: Node = { of, name, ...span, at: span.end - name.length }
    if (of.kind === 'literal' && of.literal.kind === 'string') {
      const path = of.literal.value
      const found = this.#guard(node, () => this.#names.member(path, name))
      return variable(found ?? this.#fail(node, `there is no ${name} in package ${path}`))
    }
    if (of.kind === 'call' && show(of.of) === 'runtime.frame') {
      const [n] = of.args
      if (of.args.length !== 1 || n?.kind !== 'literal' || n.literal.kind !== 'int')
        return this.#fail(of, 'runtime.frame takes the number of a frame')
      const level = Number(n.literal.value)
      const found = this.#guard(node, () => this.#names.inFrame(level, name))
      return variable(found ?? this.#fail(node, `there is no ${name} in frame ${n.literal.value}`))
    }
    if (of.kind !== 'name') return undefined
    const special =
      of.name === 'runtime' ? this.#guard(node, () => this.#names.special(`runtime.${name}`)) : undefined
    if (special) return variable(special)
    if (this.#guard(of, () => this.#names.local(of.name))) return undefined
    const found = this.#guard(node, () => this.#names.member(of.name, name))
    if (found) return variable(found)
    if (!this.#names.isPackage(of.name) || isData(this.#names.variable(of.name))) return undefined
    if (this.type(node)) return this.#fail(node, `${of.name}.${name} is a type, not a value`)
    return this.#fail(node, `there is no ${name} in package ${of.name}${this.#near(`${of.name}.${name}`)}`)
  }

  #assert(node: Extract<Node, { kind: 'assert' }>): Operand {
    const of = this.#variable(node.of)
    if (of.type.kind !== 'interface') this.#fail(node.of, `${describe(of)} is not an interface`)
    return this.#guard(node, () => {
      const dynamic = dynamicOf(this.#values, of)
      if (!dynamic) return this.#fail(node, `${describe(of)} is nil`)
      if (node.type.kind === 'name' && node.type.name === 'data') return variable(dynamic)
      const type = this.type(node.type)
      const held = dynamic.type.name
      // Where the program has no such type by name, the name itself decides.
      const same = type
        ? type.name === held
        : held === show(node.type) || held.endsWith(`/${show(node.type)}`)
      if (!same && !type) this.#fail(node.type, `there is no type ${show(node.type)}`)
      if (!same) this.#fail(node.type, `${describe(of)} holds a ${held}, not a ${type?.name}`)
      return variable(dynamic)
    })
  }

  #index(node: Extract<Node, { kind: 'index' }>): Operand {
    const [only] = node.indexes
    if (node.indexes.length !== 1 || !only) return this.#fail(node, 'a value has one index')
    let of = this.#variable(node.of)
    const key = this.value(only)
    return this.#guard(node, () => {
      // What an interface holds is meant, as with its fields.
      if (of.type.kind === 'interface') of = dynamicOf(this.#values, of) ?? of
      if (of.type.kind === 'pointer' && of.type.language === 'go') {
        const target = of.type.elem()?.kind
        if (target === 'map' || target === 'slice' || target === 'string') of = deref(this.#values, of)
      }
      if (of.type.kind !== 'map') return variable(indexOf(this.#values, of, this.#integer(only, key)))
      const typed = this.#keyOf(key, of.type.key(), only)
      return variable(indexOf(this.#values, of, typed))
    })
  }

  #keyOf(key: Operand, type: Type, node: Node): Variable {
    if (type.kind === 'interface') return variableOf(key, this.#values)
    if (key.kind === 'constant') return { ...convert(this.#values, key, type), name: show(node) }
    const { name } = key.variable.type
    if (name !== type.name) this.#fail(node, `the map has keys of type ${type.name}, not ${name}`)
    return key.variable
  }

  #slice(node: Extract<Node, { kind: 'slice' }>): Operand {
    let of = this.#variable(node.of)
    const low = node.low ? this.#integer(node.low) : 0n
    const high = node.high && this.#integer(node.high)
    return this.#guard(node, () => {
      if (of.type.kind === 'interface') of = dynamicOf(this.#values, of) ?? of
      return variable(windowOf(this.#values, of, low, high))
    })
  }

  #integer(node: Node, known?: Operand): bigint {
    const operand = known ?? this.value(node)
    if (operand.kind === 'constant') {
      const { constant: given } = operand
      return given.kind === 'int' ? given.value : this.#fail(node, `${show(node)} is not an integer`)
    }
    const { type } = operand.variable
    if (type.kind !== 'int' && type.kind !== 'enum')
      this.#fail(node, `${describe(operand.variable)} is not an integer`)
    return this.#guard(node, () => readInteger(this.#values, operand.variable))
  }

  #call(node: Extract<Node, { kind: 'call' }>): Operand {
    const { of, args } = node
    if (of.kind === 'name' && of.name === 'sizeof' && args.length === 1 && !this.#names.variable(of.name)) {
      const type = this.type(args[0]!) ?? this.#variable(args[0]!).type
      return constant({ kind: 'int', value: BigInt(type.size) })
    }
    if (of.kind === 'name' && isBuiltin(of.name) && !this.#names.variable(of.name)) {
      const values = args.map(arg => this.value(arg))
      return this.#guard(node, () => callBuiltin(this.#values, of.name, values))
    }
    const type = this.type(of)
    if (!type) {
      const shown = show(of)
      const known = of.kind === 'select' || of.kind === 'name' ? this.#tryValue(of) : undefined
      const isType = of.kind === 'paren' || of.kind.endsWith('Type') || (of.kind === 'literal' && !known)
      if (isType) return this.#fail(of, `there is no type ${shown}`)
      if (known?.kind === 'variable' && known.variable.type.kind === 'func')
        return this.#fail(node, 'functions are not called in a program that is dead')
      return this.#fail(
        of,
        `there is no type ${shown}, and functions are not called in a program that is dead`,
      )
    }
    const [only] = args
    if (args.length !== 1 || !only) return this.#fail(node, `a conversion to ${type.name} takes one value`)
    const value = this.value(only)
    return this.#guard(node, () => variable(convert(this.#values, value, type)))
  }

  #tryValue(node: Node): Operand | undefined {
    try {
      return this.value(node)
    } catch (error) {
      if (error instanceof ExpressionError) return undefined
      throw error
    }
  }

  #unary(node: Extract<Node, { kind: 'unary' }>): Operand {
    const { operator, of } = node
    if (operator !== '&') return this.#guard(node, () => applyUnary(this.#values, operator, this.value(of)))
    const operand = this.value(of)
    const addr = operand.kind === 'variable' ? operand.variable.place.addr : undefined
    if (operand.kind !== 'variable' || addr === undefined)
      return this.#fail(node, `${show(of)} lies nowhere in memory`)
    const { ptrSize, littleEndian } = this.#values.memory
    const type =
      this.#names.type(`*${operand.variable.type.name}`) ?? pointerTo(operand.variable.type, ptrSize)
    const place = bytesPlace(bytesOf(BigInt(addr), ptrSize, littleEndian))
    return variable({ name: '', type, place, flags: { computed: true } })
  }

  #binary(node: Extract<Node, { kind: 'binary' }>): Operand {
    const { operator } = node
    const left = this.value(node.left)
    if (operator === '&&' || operator === '||') {
      const first = this.#guard(node.left, () => truthOf(this.#values, left))
      // The other side may not be readable, and need not be.
      if (first === (operator === '||')) return constant({ kind: 'bool', value: first })
    }
    const right = this.value(node.right)
    return this.#guard(node, () => applyBinary(this.#values, operator, left, right))
  }

  /** gdb: an array of as many values as asked for, from the place of the one that is named. */
  #repeat(node: Extract<Node, { kind: 'repeat' }>): Operand {
    const first = this.#variable(node.of)
    const count = Number(this.#integer(node.count))
    if (first.place.addr === undefined) return this.#fail(node.of, `${show(node.of)} lies nowhere in memory`)
    if (!(count >= 1 && count * Math.max(1, first.type.size) <= 2 ** 40))
      return this.#fail(node.count, 'the length is no sound one')
    return variable({ ...first, name: '', type: arrayOf(first.type, count), flags: {} })
  }

  /** Errors of what lies below get their place in the expression. */
  #guard<T>(node: Node, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof ExpressionError || !(error instanceof SinkError)) throw error
      throw new ExpressionError(this.#source, node.at, error.message, { cause: error })
    }
  }

  #fail(node: Node, problem: string): never {
    throw new ExpressionError(this.#source, node.at, problem)
  }
}

/** A function or constant of a package's name is not what `main.x` means. */
const isData = (found: Variable | undefined): boolean => found !== undefined && !found.flags.constant

const variable = (found: Variable): Operand => ({ kind: 'variable', variable: found })
const constant = (found: Constant): Operand => ({ kind: 'constant', constant: found })

function literalOf({ literal }: Extract<Node, { kind: 'literal' }>): Constant {
  switch (literal.kind) {
    case 'string':
      return { kind: 'string', bytes: new TextEncoder().encode(literal.value) }
    case 'imaginary':
      return { kind: 'complex', real: 0, imag: literal.value }
    default:
      return literal
  }
}

/** `RAX.uint8`, `XMM0.float32`: a register as an array. */
function registerView(name: string): string | undefined {
  return /^(?:u?int(?:8|16|32|64)|float(?:32|64))$/.test(name) ? name : undefined
}
