/** One step up a C stack by call frame information: from a frame's registers to its caller's. */
import { FormatError, MemoryFault } from '../../base/errors.ts'
import { type ExpressionContext, evaluate } from './expression.ts'
import type { Fde } from './frame-entry.ts'
import { type RegisterRule, rowAt } from './frame-program.ts'

/** Values by DWARF register number; a register that is not known any more is absent. */
export type DwarfRegisters = ReadonlyMap<number, bigint>

export interface UnwindMachine {
  readonly stackRegister: number
  /** Registers that a called function leaves as they were (psABI); the rest is unknown in the caller. */
  readonly preserved: ReadonlySet<number>
}

/** psABI x86-64 figure 3.36: 0 rax 1 rdx 2 rcx 3 rbx 4 rsi 5 rdi 6 rbp 7 rsp 8–15 r8–r15 16 return address. */
export const amd64Machine: UnwindMachine = { stackRegister: 7, preserved: new Set([3, 6, 12, 13, 14, 15]) }

export const amd64DwarfNames = [
  'rax',
  'rdx',
  'rcx',
  'rbx',
  'rsi',
  'rdi',
  'rbp',
  'rsp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rip',
] as const

export interface UnwoundFrame {
  readonly registers: DwarfRegisters
  /** 0 at the outermost frame. */
  readonly pc: bigint
  readonly cfa: bigint
}

/** The caller's frame; undefined where the tables or memory don't tell it. */
export function unwindStep(
  fde: Fde,
  pc: number,
  registers: DwarfRegisters,
  machine: UnwindMachine,
  memory: { read(addr: number, size: number): bigint },
): UnwoundFrame | undefined {
  const context: ExpressionContext = {
    register: number => registers.get(number),
    deref: (addr, size) => memory.read(addr, size),
  }
  try {
    const row = rowAt(fde, pc)
    if (!row) return undefined
    const cfa =
      row.cfa.kind === 'expression'
        ? evaluate(row.cfa.expression(), context)
        : plus(registers.get(row.cfa.register), row.cfa.offset)
    if (cfa === undefined) return undefined
    const caller = new Map<number, bigint>()
    for (const number of fde.cie.signalFrame ? registers.keys() : machine.preserved) {
      const value = registers.get(number)
      if (value !== undefined) caller.set(number, value)
    }
    for (const [number, rule] of row.registers) {
      const value = apply(rule, number, cfa, registers, context, memory)
      if (value === undefined) caller.delete(number)
      else caller.set(number, value)
    }
    if (!row.registers.has(machine.stackRegister)) caller.set(machine.stackRegister, cfa)
    return { registers: caller, pc: caller.get(fde.cie.returnRegister) ?? 0n, cfa }
  } catch (error) {
    if (error instanceof FormatError || error instanceof MemoryFault) return undefined
    throw error
  }
}

function apply(
  rule: RegisterRule,
  number: number,
  cfa: bigint,
  registers: DwarfRegisters,
  context: ExpressionContext,
  memory: { read(addr: number, size: number): bigint },
): bigint | undefined {
  const wordAt = (addr: bigint): bigint => memory.read(Number(BigInt.asUintN(64, addr)), 8)
  switch (rule.kind) {
    case 'undefined':
      return undefined
    case 'same':
      return registers.get(number)
    case 'offset':
      return wordAt(cfa + rule.offset)
    case 'value':
      return BigInt.asUintN(64, cfa + rule.offset)
    case 'register':
      return registers.get(rule.register)
    case 'expression':
      return wordAt(evaluate(rule.expression(), context, cfa))
    case 'valueExpression':
      return evaluate(rule.expression(), context, cfa)
  }
}

function plus(value: bigint | undefined, offset: bigint): bigint | undefined {
  return value === undefined ? undefined : BigInt.asUintN(64, value + offset)
}
