/**
 * DWARF expressions: a small stack machine over registers and memory, DWARF 5 section 2.5. What only the locations of
 * variables may use is handed in as `operation`.
 */
import { Op } from './constants.ts'
import type { FrameReader } from './frame-reader.ts'

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
  push(value: bigint): void
  /** Throws FormatError where there is nothing. */
  pop(): bigint
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
  const stack: bigint[] = initial === undefined ? [] : [initial]
  const pop = (): bigint => {
    const value = stack.pop()
    if (value === undefined) throw reader.error('an expression takes more than it has')
    return value
  }
  const push = (value: bigint): void => {
    if (stack.length >= maxStack) throw reader.error('an expression piles up too much')
    stack.push(BigInt.asUintN(64, value))
  }
  const operands: ExpressionStack = {
    push,
    pop,
    get isEmpty() {
      return stack.length === 0
    },
  }
  const signed = (value: bigint): bigint => BigInt.asIntN(64, value)
  const peek = (depth: number): bigint => {
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
  const divisor = (): bigint => {
    const value = pop()
    if (value === 0n) throw reader.error('an expression divides by zero')
    return value
  }
  /** Shifts by more than a word give 0, and must not build a giant number first. */
  const shift = (): bigint => {
    const by = pop()
    return by > 64n ? 64n : by
  }
  const compare = (test: (a: bigint, b: bigint) => boolean): void => {
    const b = signed(pop())
    push(test(signed(pop()), b) ? 1n : 0n)
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
        push(peek(0))
        break
      case Op.drop:
        pop()
        break
      case Op.over:
        push(peek(1))
        break
      case Op.pick:
        push(peek(reader.u8()))
        break
      case Op.swap: {
        const [a, b] = [pop(), pop()]
        push(a)
        push(b)
        break
      }
      case Op.rot: {
        const [a, b, c] = [pop(), pop(), pop()]
        push(a)
        push(c)
        push(b)
        break
      }
      case Op.abs: {
        const value = signed(pop())
        push(value < 0n ? -value : value)
        break
      }
      case Op.and:
        push(pop() & pop())
        break
      case Op.or:
        push(pop() | pop())
        break
      case Op.xor:
        push(pop() ^ pop())
        break
      case Op.plus:
        push(pop() + pop())
        break
      case Op.mul:
        push(pop() * pop())
        break
      case Op.minus: {
        const b = pop()
        push(pop() - b)
        break
      }
      case Op.div: {
        const b = divisor()
        push(signed(pop()) / signed(b))
        break
      }
      case Op.mod: {
        const b = divisor()
        push(pop() % b)
        break
      }
      case Op.neg:
        push(-signed(pop()))
        break
      case Op.not:
        push(~pop())
        break
      case Op.plusUconst: {
        const value = pop()
        push(value + reader.uleb())
        break
      }
      case Op.shl: {
        const by = shift()
        push(pop() << by)
        break
      }
      case Op.shr: {
        const by = shift()
        push(pop() >> by)
        break
      }
      case Op.shra: {
        const by = shift()
        push(signed(pop()) >> by)
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
        compare((a, b) => a === b)
        break
      case Op.ne:
        compare((a, b) => a !== b)
        break
      case Op.lt:
        compare((a, b) => a < b)
        break
      case Op.le:
        compare((a, b) => a <= b)
        break
      case Op.gt:
        compare((a, b) => a > b)
        break
      case Op.ge:
        compare((a, b) => a >= b)
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
  return stack.pop()
}
