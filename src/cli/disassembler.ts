/**
 * The engine's disassembler over the package iced-x86 (Rust in WebAssembly, MIT; loads in 25 ms, only when asked for).
 * Capstone was the other candidate: its packages for Node carry no licence, or no operand details, or are years old.
 */
import type * as Iced from 'iced-x86'
import type { Disassembler, Flow, Instruction, MemoryOperand, Operand, Syntax } from '../engine/index.ts'
import { badMnemonic } from '../engine/index.ts'
import { asObjdumpGnu, asObjdumpIntel } from './objdump-text.ts'

let loaded: Promise<Disassembler> | undefined

/** For amd64; loaded once. A CommonJS module is its own default export to Node. */
export function loadDisassembler(): Promise<Disassembler> {
  loaded ??= import('iced-x86').then(module => make((module as unknown as { default: typeof Iced }).default))
  return loaded
}

/** What iced's numbers stand for: its enumerations are types only, so that they cost nothing here. */
const OpKind = {
  register: 0,
  nearBranch64: 3,
  immediate8: 6,
  immediate64: 10,
  lastImmediate: 14,
  memory: 24,
} as const
/** `memorySegSI` and on: the operands of string instructions. */
const stringRegisters: Readonly<Record<number, readonly [segment: string, base: string]>> = {
  ...{ 15: ['ds', 'si'], 16: ['ds', 'esi'], 17: ['ds', 'rsi'], 18: ['ds', 'di'], 19: ['ds', 'edi'] },
  ...{ 20: ['ds', 'rdi'], 21: ['es', 'di'], 22: ['es', 'edi'], 23: ['es', 'rdi'] },
}
/** OpAccess: none, read, conditional read, write, conditional write, both, both, no access (lea), none. */
const accesses = ['none', 'read', 'read', 'write', 'write', 'write', 'write', 'none'] as const
/** From `immediate8` on: 8, 8 (second), 16, 32, 64, and 8 to 16, 32, 64, and 32 to 64. */
const immediateBits = [8, 8, 16, 32, 64, 64, 64, 64, 64] as const
const flows: readonly Flow[] = [
  ...(['next', 'jump', 'jump', 'branch', 'return', 'call', 'call', 'next', 'branch', 'stop'] as const),
]

function make(iced: typeof Iced): Disassembler {
  const { Instruction: IcedInstruction, Decoder, Formatter, FormatterSyntax } = iced
  const gnu = new Formatter(FormatterSyntax.Gas)
  const intel = new Formatter(FormatterSyntax.Masm)
  for (const formatter of [gnu, intel]) style(formatter)
  gnu.gasShowMnemonicSizeSuffix = false
  intel.alwaysShowScale = true
  const names = { register: namesOf(iced.Register), mnemonic: namesOf(iced.Mnemonic) }
  const factory = new iced.InstructionInfoFactory()
  const sizes = new Map<number, number>()
  const sizeOf = (size: number): number => {
    const known = sizes.get(size)
    if (known !== undefined) return known
    const bytes = iced.MemorySizeExt.size(size)
    sizes.set(size, bytes)
    return bytes
  }
  const register = (number: number): string => (number === 0 ? '' : names.register[number]!)

  const accessOf = (at: Iced.Instruction, i: number): MemoryOperand['access'] => {
    const info = factory.info(at)
    const access = accesses[info.opAccess(i)]!
    info.free()
    return access
  }

  const useOf = (at: Iced.Instruction, i: number): Pick<MemoryOperand, 'size' | 'access'> => {
    const access = accessOf(at, i)
    return { access, size: access === 'none' ? 0 : sizeOf(at.memorySize) }
  }

  const memory = (at: Iced.Instruction, i: number): MemoryOperand => {
    const [base, index, segment] = [
      register(at.memoryBase),
      register(at.memoryIndex),
      register(at.segmentPrefix),
    ]
    const relative = at.isIpRelMemoryOperand
    const displacement = BigInt.asIntN(64, at.memoryDisplacement)
    const next = at.ip + BigInt(at.length)
    const alone = relative || (base === '' && index === '' && segment === '')
    return {
      kind: 'memory',
      ...(segment === '' ? {} : { segment }),
      ...(base === '' ? {} : { base }),
      ...(index === '' ? {} : { index }),
      scale: at.memoryIndexScale,
      displacement: relative ? displacement - next : displacement,
      ...(alone ? { address: Number(BigInt.asUintN(64, displacement)) } : {}),
      ...useOf(at, i),
    }
  }
  const operand = (at: Iced.Instruction, i: number): Operand => {
    const kind: number = at.opKind(i)
    if (kind === OpKind.register) return { kind: 'register', name: register(at.opRegister(i)) }
    if (kind <= OpKind.nearBranch64) return { kind: 'target', addr: Number(at.nearBranchTarget) }
    if (kind >= OpKind.immediate8 && kind <= OpKind.lastImmediate)
      return { kind: 'immediate', value: BigInt.asIntN(64, at.immediate(i)), bits: immediateBits[kind - 6]! }
    if (kind === OpKind.memory) return memory(at, i)
    const [segment, base] = stringRegisters[kind] ?? []
    return {
      kind: 'memory',
      ...(segment === undefined ? {} : { segment }),
      ...(base === undefined ? {} : { base }),
      ...{ scale: 1, displacement: 0n, ...useOf(at, i) },
    }
  }

  return {
    decode(bytes, addr, syntax, max) {
      const decoder = new Decoder(64, bytes, iced.DecoderOptions.None)
      const at = new IcedInstruction()
      const list: Instruction[] = []
      try {
        for (let offset = 0; offset < bytes.length && list.length < max; ) {
          decoder.position = offset
          decoder.ip = BigInt(addr + offset)
          decoder.decodeOut(at)
          const length = at.isInvalid ? 1 : at.length
          const own = bytes.slice(offset, offset + length)
          offset += length
          if (at.isInvalid) {
            list.push(bad(addr + offset - 1, own))
            continue
          }
          const mnemonic = names.mnemonic[at.mnemonic]!
          list.push({
            addr: addr + offset - length,
            bytes: own,
            mnemonic,
            operands: Array.from({ length: at.opCount }, (_, i) => operand(at, i)),
            ...maskOf(at),
            flow: mnemonic === 'ud2' ? 'stop' : flows[at.flowControl]!,
            text: textOf(at, syntax),
          })
        }
      } finally {
        at.free()
        decoder.free()
      }
      return list
    },
  }

  function maskOf(at: Iced.Instruction): Pick<Instruction, 'mask'> {
    if (!at.hasOpMask) return {}
    return { mask: { register: register(at.opMask), zeroing: at.zeroingMasking } }
  }

  function textOf(at: Iced.Instruction, syntax: Syntax): string {
    if (syntax === 'go') return ''
    if (syntax === 'gnu') return asObjdumpGnu(gnu.format(at))
    const mnemonic = names.mnemonic[at.mnemonic]
    // One byte, and no call of interrupt 3 by its number.
    if (mnemonic === 'int3' && at.length === 1) return 'int3'
    const text = asObjdumpIntel(intel.format(at))
    return mnemonic === 'mov' && (at.opKind(1) as number) === OpKind.immediate64
      ? text.replace(/^mov +/, 'movabs ')
      : text
  }

  function style(formatter: Iced.Formatter): void {
    formatter.uppercaseHex = false
    formatter.hexPrefix = '0x'
    formatter.hexSuffix = ''
    formatter.smallHexNumbersInDecimal = false
    formatter.branchLeadingZeros = false
    formatter.showBranchSize = false
    formatter.addLeadingZeroToHexNumbers = false
    formatter.ripRelativeAddresses = true
    formatter.signedImmediateOperands = false
    formatter.showZeroDisplacements = true
    formatter.spaceAfterOperandSeparator = false
    formatter.memorySizeOptions = iced.MemorySizeOptions.Always
    formatter.usePseudoOps = true
    formatter.firstOperandCharIndex = 7
  }
}

const bad = (addr: number, bytes: Uint8Array): Instruction => ({
  addr,
  bytes,
  mnemonic: badMnemonic,
  operands: [],
  flow: 'next',
  text: badMnemonic,
})

const namesOf = (enumeration: object): readonly string[] => {
  const names: string[] = []
  for (const [key, value] of Object.entries(enumeration))
    if (typeof value === 'number') names[value] = key.toLowerCase()
  return names
}
