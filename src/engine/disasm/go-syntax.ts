/**
 * The Go assembler's syntax as `go tool objdump` prints it: sources before the destination, sizes in the mnemonic,
 * registers by their Plan 9 names (golang.org/x/arch/x86/x86asm, GoSyntax, and the tables that it decodes by).
 */
import { goMnemonic } from './go-mnemonic.ts'
import type { Instruction, MemoryOperand, Operand } from './instruction.ts'
import { badMnemonic } from './instruction.ts'

/** A symbol that holds an address, and where it begins. */
export interface CodeSymbol {
  readonly name: string
  readonly start: number
}

export type SymbolAt = (addr: number) => CodeSymbol | undefined

export function goSyntax(instruction: Instruction, symbolAt: SymbolAt): string {
  const { mnemonic, operands, mask } = instruction
  if (mnemonic === badMnemonic) return '?'
  const { prefix, name } = goMnemonic(instruction)
  const words = operands.map(operand => operandText(operand, instruction, symbolAt))
  if (mask) words.splice(1, 0, goRegister(mask.register))
  words.push(...(unwritten[mnemonic] ?? []))
  // What is compared reads from left to right (golang.org/issue/60920).
  if (mnemonic !== 'cmp') words.reverse()
  const suffix = mask?.zeroing ? '.Z' : ''
  return `${prefix}${name}${suffix}${words.length > 0 ? ` ${words.join(', ')}` : ''}`
}

function operandText(operand: Operand, instruction: Instruction, symbolAt: SymbolAt): string {
  switch (operand.kind) {
    case 'register':
      return goRegister(operand.name)
    case 'target': {
      // Jumps within a function are easier to find by their address.
      const symbol = symbolAt(operand.addr)
      return symbol?.start === operand.addr ? `${symbol.name}(SB)` : hex(operand.addr)
    }
    case 'immediate':
      return `$${hex(immediateValue(operand, instruction))}`
    case 'memory':
      return memoryText(operand, symbolAt)
  }
}

/** Operands that the instruction has without saying so, and x86asm shows. */
const unwritten: Readonly<Record<string, readonly string[]>> = { int3: ['$0x3'], sha256rnds2: ['X0'] }
/** Of 16 bits and no sign: how much of the stack to drop. */
const counting = new Set(['ret', 'retf', 'enter'])

function immediateValue({ value, bits }: { value: bigint; bits: number }, { mnemonic }: Instruction): bigint {
  if (bits === 32 || (bits === 16 && !counting.has(mnemonic))) return BigInt.asIntN(bits, value)
  return value < -0x80000000n ? BigInt.asUintN(64, value) : value
}

function memoryText(operand: MemoryOperand, symbolAt: SymbolAt): string {
  const { segment, base, index, scale, displacement, address } = operand
  if (address !== undefined && address !== 0) {
    const symbol = symbolAt(address)
    if (symbol) {
      const offset = address - symbol.start
      return `${symbol.name}${offset === 0 ? '' : `+${offset}`}(SB)`
    }
  }
  const shown = base === undefined && index === undefined ? BigInt.asUintN(32, displacement) : displacement
  return [
    segment === undefined ? '' : `${segment.toUpperCase()}:`,
    shown === 0n ? '0' : hex(shown),
    base === undefined ? '' : `(${goRegister(base)})`,
    index === undefined ? '' : `(${goRegister(index)}*${scale})`,
  ].join('')
}

/** Plan 9's names leave the size to the mnemonic: `rax`, `eax` and `ax` are AX, `al` is AL, `r8d` is R8. */
export function goRegister(name: string): string {
  return registers.get(name) ?? name.toUpperCase()
}

const registers: ReadonlyMap<string, string> = new Map([
  ...['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp'].flatMap(
    name =>
      [
        [`r${name}`, name.toUpperCase()],
        [`e${name}`, name.toUpperCase()],
      ] as const,
  ),
  ...['si', 'di', 'bp', 'sp'].map(name => [`${name}l`, name.toUpperCase()] as const),
  ...[8, 9, 10, 11, 12, 13, 14, 15].flatMap(n =>
    ['d', 'w', 'l', 'b'].map(size => [`r${n}${size}`, `R${n}`] as const),
  ),
  ...Array.from({ length: 32 }, (_, n) =>
    ['x', 'y', 'z'].map(letter => [`${letter}mm${n}`, `${letter.toUpperCase()}${n}`] as const),
  ).flat(),
  ...Array.from({ length: 8 }, (_, n) => [[`st${n}`, `F${n}`] as const, [`mm${n}`, `M${n}`] as const]).flat(),
  ['rip', 'IP'],
  ['eip', 'IP'],
])

function hex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
}
