/** Mnemonics of Go's assembler syntax: Intel's in capitals, with a letter for the size where x86asm's table says so. */
import type { Instruction } from './instruction.ts'

export interface GoMnemonic {
  /** `LOCK `, `REP; `, … or nothing. */
  readonly prefix: string
  readonly name: string
}

/** Those that carry a size (x86asm's plan9Suffix). */
const sized = new Set(
  [
    'adc add and bsf bsr bt btc btr bts cmp cmpxchg cvtsi2sd cvtsi2ss cvtsd2si cvtss2si cvttsd2si cvttss2si dec',
    'div fldenv frstor idiv imul in inc lea mov movnti mul neg nop not or out pop popa popcnt push pusha rcl rcr',
    'rol ror sar sbb shl shld shr shrd sub test xadd xchg xor',
  ].flatMap(line => line.split(' ')),
)

/** What x86asm calls otherwise. */
const renamed: Readonly<Record<string, string>> = { int3: 'INT', int1: 'ICEBP', retf: 'LRET', wait: 'FWAIT' }

const legacyPrefixes = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])
const strings = /^(?:movs|cmps|scas|stos|lods|ins|outs)[bwdq]$/

export function goMnemonic({ mnemonic, operands, bytes }: Instruction): GoMnemonic {
  const { prefixes, rexW, opcode } = prefixesOf(bytes)
  const isString = strings.test(mnemonic) && opcode < 0xb0 && !bytes.includes(0x0f)
  const has = (byte: number): boolean => prefixes.includes(byte)
  let prefix = ''
  if (has(0xf0)) prefix = 'LOCK '
  else if (isString && has(0xf3)) prefix = 'REP; '
  else if (isString && has(0xf2)) prefix = 'REPNE; '
  if (isString) return { prefix, name: mnemonic.toUpperCase() }
  if (mnemonic === 'movsd' || mnemonic === 'cmpsd') return { prefix, name: `${mnemonic.toUpperCase()}_XMM` }
  const name = renamed[mnemonic] ?? mnemonic.toUpperCase()
  const vectors = operands.some(
    operand => operand.kind === 'register' && /^(?:[xyz]?mm|k)\d/.test(operand.name),
  )
  if (!sized.has(mnemonic)) return { prefix, name }
  const memory = operands.find(operand => operand.kind === 'memory')
  let size = rexW ? 8 : has(0x66) && !vectors ? 2 : 4
  if (memory && memory.size > 0) size = memory.size
  else if (
    operands[0]?.kind === 'register' &&
    operands.length === 1 &&
    /^r(?:\d+|[a-ds][a-z])$/.test(operands[0].name)
  )
    size = 8
  return { prefix, name: name + ({ 1: 'B', 2: 'W', 4: 'L', 8: 'Q' }[size] ?? '') }
}

function prefixesOf(bytes: Uint8Array): { prefixes: number[]; rexW: boolean; opcode: number } {
  let at = 0
  const prefixes: number[] = []
  while (at < bytes.length && legacyPrefixes.has(bytes[at]!)) prefixes.push(bytes[at++]!)
  const rex = (bytes[at] ?? 0) >> 4 === 4 ? bytes[at++]! : 0
  return { prefixes, rexW: (rex & 8) !== 0, opcode: bytes[at] ?? 0 }
}
