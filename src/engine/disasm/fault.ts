/**
 * Why an instruction faulted: which address it wanted, and which register of its operand was wrong. Where the registers
 * of that moment are gone (the runtime turned the signal into a panic long ago), the fault address still tells the one
 * register of an operand that has only one.
 */
import type { Instruction, MemoryOperand } from './instruction.ts'

export interface Fault {
  readonly pc: number
  /** Where the kernel says that the access went; absent where the hardware did not tell it. */
  readonly address?: bigint
  readonly signalName?: string
}

/** Value of a register at the fault, by its 64-bit name; undefined where it is not known. */
export type RegisterAt = (name: string) => bigint | undefined

/** One sentence without a full stop, or undefined where the instruction cannot have done it. */
export function explainFault(
  instruction: Instruction,
  fault: Fault,
  registerAt: RegisterAt = () => undefined,
): string | undefined {
  const operand = instruction.operands.find(candidate => candidate.kind === 'memory')
  if (!operand) return plainFault(instruction, fault)
  const registers = [operand.base, operand.index].filter(name => name !== undefined && name !== 'rip')
  const wanted = fault.address ?? addressOf(operand, registerAt)
  const where = wanted === undefined ? 'an address that is not canonical' : `address ${hex(wanted)}`
  const values = registers.map(
    name => [name!, registerAt(name!) ?? inferred(operand, registers, fault)] as const,
  )
  const known = values.flatMap(([name, value]) => (value === undefined ? [] : [`${name} was ${hex(value)}`]))
  const what = `${accessOf(instruction, operand)} ${where}`
  if (known.length === 0) return what
  const operandText = expressionOf(operand)
  return `${what} = ${operandText}: ${known.join(' and ')}`
}

/** The register that the fault's address tells: of an operand that has only one; undefined where there is none such. */
export function inferRegister(
  { operands }: Instruction,
  fault: Fault,
): { readonly name: string; readonly value: bigint } | undefined {
  const operand = operands.find(candidate => candidate.kind === 'memory')
  const name = operand?.base
  if (!operand || name === undefined || name === 'rip') return undefined
  const value = inferred(operand, [name], fault)
  return value === undefined ? undefined : { name, value }
}

/** The address that an operand names, where all of its registers are known. */
export function addressOf(operand: MemoryOperand, registerAt: RegisterAt): bigint | undefined {
  if (operand.address !== undefined) return BigInt(operand.address)
  if (operand.segment === 'fs' || operand.segment === 'gs') return undefined
  const base = operand.base === undefined ? 0n : registerAt(operand.base)
  const index = operand.index === undefined ? 0n : registerAt(operand.index)
  if (base === undefined || index === undefined) return undefined
  return BigInt.asUintN(64, base + index * BigInt(operand.scale) + operand.displacement)
}

/** What the only register of an operand must have been. */
function inferred(
  { displacement, index, segment }: MemoryOperand,
  registers: readonly unknown[],
  { address }: Fault,
): bigint | undefined {
  if (address === undefined || registers.length !== 1 || index !== undefined || segment !== undefined)
    return undefined
  const value = BigInt.asUintN(64, address - displacement)
  return value
}

function plainFault({ flow, mnemonic }: Instruction, { address }: Fault): string | undefined {
  if (mnemonic === 'ud2' || mnemonic === '(bad)') return 'no instruction of this machine'
  if (mnemonic === 'div' || mnemonic === 'idiv') return 'divides by zero, or the quotient does not fit'
  if ((flow === 'call' || flow === 'jump') && address !== undefined) return `goes to ${hex(address)}`
  return undefined
}

function accessOf(instruction: Instruction, operand: MemoryOperand): string {
  const size = operand.size === 0 ? '' : ` ${operand.size} ${operand.size === 1 ? 'byte' : 'bytes'}`
  if (operand.access === 'none') return 'uses'
  if (instruction.flow === 'call' || instruction.flow === 'jump') return `reads${size} to go to from`
  if (operand.access === 'read') return `reads${size} at`
  return `writes${size} to`
}

function expressionOf({ base, index, scale, displacement }: MemoryOperand): string {
  const parts = [base, index === undefined ? undefined : scale === 1 ? index : `${index}*${scale}`].filter(
    Boolean,
  )
  const sum = parts.join(' + ')
  if (displacement === 0n) return sum
  return `${sum} ${displacement < 0n ? '-' : '+'} ${hex(displacement < 0n ? -displacement : displacement)}`
}

const hex = (value: bigint): string => `0x${value.toString(16)}`
