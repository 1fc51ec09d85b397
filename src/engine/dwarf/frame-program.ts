/**
 * The unwind program of a function, run up to one address: it builds the row of rules by which the caller's registers
 * are found again. DWARF 5 section 6.4.2 and 6.4.3.
 */
import { Cfa } from './constants.ts'
import type { Fde } from './frame-entry.ts'
import { FrameReader } from './frame-reader.ts'

export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'same' }
  /** Saved at CFA + offset. */
  | { readonly kind: 'offset'; readonly offset: bigint }
  /** Is CFA + offset. */
  | { readonly kind: 'value'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that the expression gives. */
  | { readonly kind: 'expression'; readonly expression: () => FrameReader }
  /** Is what the expression gives. */
  | { readonly kind: 'valueExpression'; readonly expression: () => FrameReader }

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: bigint }
  | { readonly kind: 'expression'; readonly expression: () => FrameReader }

export interface FrameRow {
  readonly cfa: CfaRule
  readonly registers: ReadonlyMap<number, RegisterRule>
}

interface State {
  cfa: CfaRule | undefined
  registers: Map<number, RegisterRule>
}

const maxInstructions = 100_000
const maxRemembered = 64

/** The row that holds at `pc`; undefined where the program says nothing of the CFA. Throws FormatError for damage. */
export function rowAt(fde: Fde, pc: number): FrameRow | undefined {
  const state: State = { cfa: undefined, registers: new Map() }
  const budget = { left: maxInstructions }
  run(fde, again(fde.cie.program), state, new Map(), fde.start, Number.POSITIVE_INFINITY, budget)
  const initial = new Map(state.registers)
  run(fde, again(fde.program), state, initial, fde.start, pc, budget)
  return state.cfa && { cfa: state.cfa, registers: state.registers }
}

function run(
  { cie }: Fde,
  reader: FrameReader,
  state: State,
  initial: ReadonlyMap<number, RegisterRule>,
  start: number,
  pc: number,
  budget: { left: number },
): void {
  const remembered: State[] = []
  let location = start
  const rule = (register: number | bigint, value: RegisterRule): void => {
    state.registers.set(Number(register), value)
  }
  const restore = (register: number): void => {
    const first = initial.get(register)
    if (first) state.registers.set(register, first)
    else state.registers.delete(register)
  }
  const advance = (by: bigint | number): void => {
    location += Number(BigInt(by) * cie.codeAlign)
  }
  const defineOffset = (offset: bigint): void => {
    if (state.cfa?.kind !== 'register') throw reader.error('an offset for a CFA that has no register')
    state.cfa = { ...state.cfa, offset }
  }
  const expression = (): (() => FrameReader) => {
    const length = Number(reader.uleb())
    const addr = reader.addr
    const bytes = reader.take(length)
    return () => new FrameReader(bytes, reader.origin, addr)
  }

  while (!reader.done) {
    if (budget.left-- <= 0) throw reader.error('a frame program does not end')
    const byte = reader.u8()
    const operand = byte & 0x3f
    switch (byte & 0xc0) {
      case Cfa.advanceLoc:
        advance(operand)
        break
      case Cfa.offset:
        rule(operand, { kind: 'offset', offset: BigInt.asIntN(64, reader.uleb() * cie.dataAlign) })
        break
      case Cfa.restore:
        restore(operand)
        break
      default:
        step(byte)
    }
    if (location > pc) return
  }

  function step(op: number): void {
    switch (op) {
      case Cfa.nop:
        return
      case Cfa.setLoc:
        location = reader.pointer(cie.encoding)
        return
      case Cfa.advanceLoc1:
        advance(reader.u8())
        return
      case Cfa.advanceLoc2:
        advance(reader.u16())
        return
      case Cfa.advanceLoc4:
        advance(reader.u32())
        return
      case Cfa.offsetExtended:
        rule(reader.uleb(), { kind: 'offset', offset: reader.uleb() * cie.dataAlign })
        return
      case Cfa.offsetExtendedSf:
        rule(reader.uleb(), { kind: 'offset', offset: reader.sleb() * cie.dataAlign })
        return
      case Cfa.gnuNegativeOffsetExtended:
        rule(reader.uleb(), { kind: 'offset', offset: -reader.uleb() * cie.dataAlign })
        return
      case Cfa.valOffset:
        rule(reader.uleb(), { kind: 'value', offset: reader.uleb() * cie.dataAlign })
        return
      case Cfa.valOffsetSf:
        rule(reader.uleb(), { kind: 'value', offset: reader.sleb() * cie.dataAlign })
        return
      case Cfa.restoreExtended:
        restore(Number(reader.uleb()))
        return
      case Cfa.undefined:
        rule(reader.uleb(), { kind: 'undefined' })
        return
      case Cfa.sameValue:
        rule(reader.uleb(), { kind: 'same' })
        return
      case Cfa.register:
        rule(reader.uleb(), { kind: 'register', register: Number(reader.uleb()) })
        return
      case Cfa.expression:
        rule(reader.uleb(), { kind: 'expression', expression: expression() })
        return
      case Cfa.valExpression:
        rule(reader.uleb(), { kind: 'valueExpression', expression: expression() })
        return
      case Cfa.rememberState:
        if (remembered.length >= maxRemembered) throw reader.error('too many states remembered')
        remembered.push({ cfa: state.cfa, registers: new Map(state.registers) })
        return
      case Cfa.restoreState: {
        const saved = remembered.pop()
        if (!saved) throw reader.error('no state to restore')
        state.cfa = saved.cfa
        state.registers = saved.registers
        return
      }
      case Cfa.defCfa:
        state.cfa = { kind: 'register', register: Number(reader.uleb()), offset: reader.uleb() }
        return
      case Cfa.defCfaSf:
        state.cfa = {
          kind: 'register',
          register: Number(reader.uleb()),
          offset: reader.sleb() * cie.dataAlign,
        }
        return
      case Cfa.defCfaRegister: {
        const register = Number(reader.uleb())
        if (state.cfa?.kind !== 'register') throw reader.error('a register for a CFA that is an expression')
        state.cfa = { ...state.cfa, register }
        return
      }
      case Cfa.defCfaOffset:
        defineOffset(reader.uleb())
        return
      case Cfa.defCfaOffsetSf:
        defineOffset(reader.sleb() * cie.dataAlign)
        return
      case Cfa.defCfaExpression:
        state.cfa = { kind: 'expression', expression: expression() }
        return
      case Cfa.gnuArgsSize:
        reader.uleb()
        return
      case Cfa.gnuWindowSave:
        return
      default:
        throw reader.error(`call frame instruction 0x${op.toString(16)} is not known`)
    }
  }
}

/** The same bytes from the place where the reader stands: entries are kept, programs run many times. */
function again(program: FrameReader): FrameReader {
  return new FrameReader(program.bytes, program.origin, program.base, program.at)
}
