/** The text of an instruction with the names of what it refers to, as gdb and objdump add them. */
import { goSyntax, type SymbolAt } from './go-syntax.ts'
import type { Instruction, Syntax } from './instruction.ts'

/** One instruction in the given syntax, with symbols for targets and for operands that depend on no register. */
export function instructionText(instruction: Instruction, syntax: Syntax, symbolAt: SymbolAt): string {
  if (syntax === 'go') return goSyntax(instruction, symbolAt)
  for (const operand of instruction.operands) {
    if (operand.kind === 'target') return instruction.text + bracketed(operand.addr, symbolAt)
    if (operand.kind !== 'memory' || operand.address === undefined || operand.base === undefined) continue
    return `${instruction.text}        # 0x${operand.address.toString(16)}${bracketed(operand.address, symbolAt)}`
  }
  return instruction.text
}

/** ` <main.main+0x1a>`, or nothing. */
function bracketed(addr: number, symbolAt: SymbolAt): string {
  const name = symbolicAddress(addr, symbolAt)
  return name === undefined ? '' : ` <${name}>`
}

/** `main.main+26`, as gdb counts. */
export function symbolicAddress(addr: number, symbolAt: SymbolAt): string | undefined {
  const symbol = symbolAt(addr)
  if (!symbol) return undefined
  return addr === symbol.start ? symbol.name : `${symbol.name}+${addr - symbol.start}`
}
