/**
 * DWARF expressions: a small stack machine over registers and memory, DWARF 5 section 2.5. What only the locations of
 * variables may use is handed in as `operation`.
 */
import { Op } from './constants.ts'
import type { BaseType } from './debug-info.ts'
import type { FrameReader } from './frame-reader.ts'
import {
  type Arithmetic,
  absolute,
  arithmetic,
  type Comparison,
  compare,
  integerOf,
  negated,
  type Operand,
  operandOf,
} from './operand.ts'

/** What an expression may look at. `deref` throws where memory does not answer. */
export interface ExpressionContext {
  register(number: number): bigint | undefined
  deref(addr: number, size: number): bigint
  /** Added to DW_OP_addr: how far from its link-time address the file was loaded. */
  readonly bias?: bigint
  /** An operation that the machine does not know; false where it is not known here either. */
  operation?(op: number, reader: FrameReader, stack: ExpressionStack): boolean
}

export interface ExpressionStack {
  push(value: bigint, type?: BaseType): void
  /** Throws FormatError where there is nothing. */
  pop(): bigint
  /** The same with its type. */
  popOperand(): Operand
  readonly isEmpty: boolean
}

/** Loops are possible (DW_OP_bra); no real frame expression takes more than a few dozen steps. */
const maxSteps = 1000
const maxStack = 64

/** The value on top of the stack at the end. `initial` is pushed first, as DW_CFA_expression asks for the CFA. */
export function evaluate(reader: FrameReader, context: ExpressionContext, initial?: bigint): bigint {
  const value = run(reader, context, initial)
  if (value === undefined) throw reader.error('an expression takes more than it has')
  return value
}

/** As evaluate(), but undefined where nothing is left at the end. */
export function run(reader: FrameReader, context: ExpressionContext, initial?: bigint): bigint | undefined {
  const stack: Operand[] = initial === undefined ? [] : [operandOf(initial)]
  const popOperand = (): Operand => {
    const value = stack.pop()
    if (value === undefined) throw reader.error('an expression takes more than it has')
    return value
  }
  const pop = (): bigint => popOperand().bits
  const pushOperand = (value: Operand): void => {
    if (stack.length >= maxStack) throw reader.error('an expression piles up too much')
    stack.push(value)
  }
  const push = (value: bigint, type?: BaseType): void => pushOperand(operandOf(value, type))
  const operands: ExpressionStack = {
    push,
    pop,
    popOperand,
    get isEmpty() {
      return stack.length === 0
    },
  }
  const peek = (depth: number): Operand => {
    const value = stack.at(-1 - depth)
    if (value === undefined) throw reader.error('an expression takes more than it has')
    return value
  }
  const register = (number: number): bigint => {
    const value = context.register(number)
    if (value === undefined) throw reader.error(`register ${number} is not known`)
    return value
  }
  const jump = (): void => {
    const distance = (reader.u16() << 16) >> 16
    const to = reader.at + distance
    if (to < 0 || to > reader.bytes.length) throw reader.error('an expression jumps out')
    reader.at = to
  }
  const count = (operation: Arithmetic): void => {
    const [b, a] = [popOperand(), popOperand()]
    const result = arithmetic(operation, a, b)
    if (!result) throw reader.error('an expression divides by zero')
    pushOperand(result)
  }
  /** Shifts by more than a value has give 0, and must not build a giant number first. */
  const shift = (): bigint => {
    const by = pop()
    return by > 128n ? 128n : by
  }
  const test = (comparison: Comparison): void => {
    const [b, a] = [popOperand(), popOperand()]
    push(compare(comparison, a, b) ? 1n : 0n)
  }
  /** Bit by bit, in the type of the first. */
  const bitwise = (operation: (a: bigint, b: bigint) => bigint): void => {
    const [b, a] = [popOperand(), popOperand()]
    push(operation(a.bits, b.bits), a.type)
  }

  for (let steps = 0; !reader.done; steps++) {
    if (steps > maxSteps) throw reader.error('an expression does not end')
    const op = reader.u8()
    if (op >= Op.lit0 && op <= Op.lit31) {
      push(BigInt(op - Op.lit0))
      continue
    }
    if (op >= Op.breg0 && op <= Op.breg31) {
      const base = register(op - Op.breg0)
      push(base + reader.sleb())
      continue
    }
    switch (op) {
      case Op.addr:
        push((reader.origin.ptrSize === 8 ? reader.u64() : BigInt(reader.u32())) + (context.bias ?? 0n))
        break
      case Op.deref:
        push(context.deref(Number(pop()), reader.origin.ptrSize))
        break
      case Op.derefSize: {
        const size = reader.u8()
        if (![1, 2, 4, 8].includes(size)) throw reader.error(`an access of ${size} bytes`)
        push(context.deref(Number(pop()), size))
        break
      }
      case Op.const1u:
        push(BigInt(reader.u8()))
        break
      case Op.const1s:
        push(BigInt((reader.u8() << 24) >> 24))
        break
      case Op.const2u:
        push(BigInt(reader.u16()))
        break
      case Op.const2s:
        push(BigInt((reader.u16() << 16) >> 16))
        break
      case Op.const4u:
        push(BigInt(reader.u32()))
        break
      case Op.const4s:
        push(BigInt(reader.i32()))
        break
      case Op.const8u:
      case Op.const8s:
        push(reader.u64())
        break
      case Op.constu:
        push(reader.uleb())
        break
      case Op.consts:
        push(reader.sleb())
        break
      case Op.dup:
        pushOperand(peek(0))
        break
      case Op.drop:
        pop()
        break
      case Op.over:
        pushOperand(peek(1))
        break
      case Op.pick:
        pushOperand(peek(reader.u8()))
        break
      case Op.swap: {
        const [a, b] = [popOperand(), popOperand()]
        pushOperand(a)
        pushOperand(b)
        break
      }
      case Op.rot: {
        const [a, b, c] = [popOperand(), popOperand(), popOperand()]
        pushOperand(a)
        pushOperand(c)
        pushOperand(b)
        break
      }
      case Op.abs:
        pushOperand(absolute(popOperand()))
        break
      case Op.and:
        bitwise((a, b) => a & b)
        break
      case Op.or:
        bitwise((a, b) => a | b)
        break
      case Op.xor:
        bitwise((a, b) => a ^ b)
        break
      case Op.plus:
        count('plus')
        break
      case Op.mul:
        count('mul')
        break
      case Op.minus:
        count('minus')
        break
      case Op.div:
        count('div')
        break
      case Op.mod:
        count('mod')
        break
      case Op.neg:
        pushOperand(negated(popOperand()))
        break
      case Op.not: {
        const value = popOperand()
        push(~value.bits, value.type)
        break
      }
      case Op.plusUconst: {
        const value = popOperand()
        push(value.bits + reader.uleb(), value.type)
        break
      }
      case Op.shl: {
        const [by, value] = [shift(), popOperand()]
        push(value.bits << by, value.type)
        break
      }
      case Op.shr: {
        const [by, value] = [shift(), popOperand()]
        push(value.bits >> by, value.type)
        break
      }
      case Op.shra: {
        const [by, value] = [shift(), popOperand()]
        push(integerOf(value, false) >> by, value.type)
        break
      }
      case Op.bra:
        if (pop() !== 0n) jump()
        else reader.skip(2)
        break
      case Op.skip:
        jump()
        break
      case Op.eq:
        test('eq')
        break
      case Op.ne:
        test('ne')
        break
      case Op.lt:
        test('lt')
        break
      case Op.le:
        test('le')
        break
      case Op.gt:
        test('gt')
        break
      case Op.ge:
        test('ge')
        break
      case Op.bregx: {
        const base = register(Number(reader.uleb()))
        push(base + reader.sleb())
        break
      }
      case Op.nop:
        break
      default:
        if (context.operation?.(op, reader, operands)) break
        throw reader.error(`expression operation 0x${op.toString(16)} is not known`)
    }
  }
  return stack.pop()?.bits
}
