/**
 * Whether two Go program files are builds of the same code: the same functions at the same offsets, with the same
 * instructions but for the addresses of data. Those differ in builds that ought to be alike: the build information holds
 * the flags, `-ldflags=-s` among them, and its length moves what the linker lays behind it. Where the code is the same,
 * the places that it refers to tell how far each part of the data has moved.
 */
import type { Arch } from '../arch/arch.ts'
import { SegmentFlag, SegmentType } from '../elf/constants.ts'
import type { ElfFile } from '../elf/file.ts'
import { type GoFile, openGoFile } from '../gosym/go-file.ts'
import type { BuildInfo, GoFunc, ModuleData } from '../gosym/index.ts'
import type { Disassembler, Instruction, Operand } from './instruction.ts'

export type CodeComparison =
  | {
      readonly same: true
      /** Address of a thing in `other` as an address in `executable`, both without bias; undefined where that can't be told. */
      readonly translate: (addr: number) => number | undefined
    }
  | {
      readonly same: false /** What differs, as a sentence without its subject and full stop. */
      readonly difference: string
    }

/** References to data that are remembered to check the shift of each part of the data. */
const maxReferences = 1 << 20
const maxInstructionSize = 15

/** `executable` is the file that ran, `other` the one that is to lend its debug information. */
export function compareGoCode(
  executable: ElfFile,
  other: ElfFile,
  arch: Arch,
  disassembler: Disassembler,
): CodeComparison {
  const [ran, lent] = [openGoFile(executable, arch), openGoFile(other, arch)]
  if (!ran) return different("the program's own file has no table of Go functions to compare with")
  if (!lent) return different('is no Go program')
  const settings = settingsText(ran.buildInfo, lent.buildInfo)
  const versions = [ran, lent].map(({ buildInfo }) => buildInfo?.goVersion.split(' ')[0])
  if (versions[0] !== undefined && versions[1] !== undefined && versions[0] !== versions[1])
    return different(`was built by ${versions[1]}, the program by ${versions[0]}`)
  const references: [there: number, here: number][] = []
  const problem = compareFunctions(ran, lent, disassembler, references)
  if (problem !== undefined) return different(problem + settings)
  return { same: true, translate: translator(ran, lent, references) }
}

const different = (difference: string): CodeComparison => ({ same: false, difference })

function compareFunctions(
  ran: GoFile,
  lent: GoFile,
  disassembler: Disassembler,
  references: [number, number][],
): string | undefined {
  const [here, there] = [ran.symtab.functions(), lent.symtab.functions()]
  const [code, otherCode] = [textOf(ran), textOf(lent)]
  const [text, otherText] = [startOf(ran), startOf(lent)]
  const pair: Pair = { shift: text - ran.bias - (otherText - lent.bias), disassembler, references, ran, lent }
  if (pair.shift !== 0) return `has its code at another address`
  for (;;) {
    const [own, its] = [here.next(), there.next()]
    if (own.done && its.done) return undefined
    if (own.done) return `has more functions, ${its.value.name} the first of them`
    if (its.done) return `has fewer functions, and lacks ${own.value.name}`
    const [a, b] = [own.value, its.value]
    if (a.name !== b.name) return `has the function ${b.name} where the program has ${a.name}`
    const place = `${a.name}, the first function that differs,`
    if (a.entry - text !== b.entry - otherText) return `has ${place} at another place`
    const size = a.codeEnd - a.entry
    if (size !== b.codeEnd - b.entry)
      return `has ${place} with ${b.codeEnd - b.entry} bytes of code, the program with ${size}`
    const [from, otherFrom] = [a.entry - text, b.entry - otherText]
    const bytes = code.subarray(from, from + size)
    const otherBytes = otherCode.subarray(otherFrom, otherFrom + size)
    if (bytes.length !== otherBytes.length) return `ends within ${a.name}`
    const at = sameBytes(bytes, otherBytes) ? undefined : firstDifference(a, bytes, b, otherBytes, pair)
    if (at !== undefined) return `has ${place} with other instructions, from byte ${at} of it on`
  }
}

/** Code of the first module, as the file has it. */
function textOf(file: GoFile): Uint8Array {
  const start = startOf(file)
  return file.elf.bytesAt(start - file.bias, Math.max(0, file.modules[0]!.etext - start))
}

/** C code may be linked before Go's. */
function startOf({ modules }: GoFile): number {
  return Math.min(modules[0]!.text, modules[0]!.minpc)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

interface Pair {
  /** Of the program's code against the other's. */
  readonly shift: number
  readonly disassembler: Disassembler
  readonly references: [number, number][]
  readonly ran: GoFile
  readonly lent: GoFile
}

/** Offset of the first instruction that differs in more than the address of its data. */
function firstDifference(
  own: GoFunc,
  bytes: Uint8Array,
  its: GoFunc,
  otherBytes: Uint8Array,
  pair: Pair,
): number | undefined {
  const { ran, lent } = pair
  const starts = own.lineStarts()
  let line = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === otherBytes[at]) continue
    while (line + 1 < starts.length && starts[line + 1]! <= at) line++
    const start = starts[line] ?? 0
    const decode = (code: Uint8Array, entry: number): Instruction[] =>
      pair.disassembler.decode(code.subarray(start, at + maxInstructionSize), entry + start, 'go', Infinity)
    const a = decode(bytes, own.entry - ran.bias).find(holds(at, own.entry - ran.bias))
    const b = decode(otherBytes, its.entry - lent.bias).find(holds(at, its.entry - lent.bias))
    if (!a || !b || !sameInstruction(a, b, pair)) return at
    at = a.addr - (own.entry - ran.bias) + a.bytes.length - 1
  }
  return undefined
}

const holds =
  (at: number, entry: number) =>
  ({ addr, bytes }: Instruction): boolean =>
    addr - entry <= at && at < addr - entry + bytes.length

function sameInstruction(a: Instruction, b: Instruction, pair: Pair): boolean {
  return (
    a.mnemonic === b.mnemonic &&
    a.bytes.length === b.bytes.length &&
    a.operands.length === b.operands.length &&
    a.operands.every((operand, i) => sameOperand(operand, b.operands[i]!, pair))
  )
}

function sameOperand(a: Operand, b: Operand, pair: Pair): boolean {
  const { shift, references } = pair
  if (a.kind === 'target') return b.kind === 'target' && a.addr === b.addr + shift
  if (a.kind === 'register') return b.kind === 'register' && a.name === b.name
  if (a.kind === 'immediate') {
    if (b.kind !== 'immediate') return false
    // C code that is not position-independent has addresses for numbers.
    return a.value === b.value || isMovedAddress(Number(a.value), Number(b.value), pair)
  }
  if (b.kind !== 'memory') return false
  const alike =
    a.base === b.base &&
    a.index === b.index &&
    a.scale === b.scale &&
    a.segment === b.segment &&
    a.size === b.size
  if (!alike) return false
  if (a.address === undefined || b.address === undefined) return a.displacement === b.displacement
  if (references.length < maxReferences) references.push([b.address, a.address])
  return true
}

function isMovedAddress(here: number, there: number, { ran, lent, references }: Pair): boolean {
  if (!isData(ran.elf, here) || !isData(lent.elf, there)) return false
  if (references.length < maxReferences) references.push([there, here])
  return true
}

function isData({ segments }: ElfFile, addr: number): boolean {
  const segment = segments.find(
    ({ type, vaddr, memsz }) => type === SegmentType.load && addr >= vaddr && addr < vaddr + memsz,
  )
  return segment !== undefined && (segment.flags & SegmentFlag.execute) === 0
}

const parts: readonly (readonly [start: keyof ModuleData, end: keyof ModuleData])[] = [
  ['noptrdata', 'enoptrdata'],
  ['data', 'edata'],
  ['bss', 'ebss'],
  ['noptrbss', 'enoptrbss'],
  ['types', 'etypes'],
]

/** Each part of the data moves as a whole where it has the same size in both; what contradicts that spoils the part. */
function translator(
  ran: GoFile,
  lent: GoFile,
  references: readonly (readonly [number, number])[],
): (addr: number) => number | undefined {
  const [here, there] = [ran.modules[0]!, lent.modules[0]!]
  const moved = parts.map(([first, last]) => {
    const at = (module: ModuleData, key: keyof ModuleData, bias: number): number => Number(module[key]) - bias
    const [start, end] = [at(there, first, lent.bias), at(there, last, lent.bias)]
    const [ownStart, ownEnd] = [at(here, first, ran.bias), at(here, last, ran.bias)]
    return { start, end, shift: ownStart - start, holds: end - start === ownEnd - ownStart }
  })
  const partOf = (addr: number): (typeof moved)[number] | undefined =>
    moved.find(({ start, end }) => addr >= start && addr < end)
  for (const [addr, own] of references) {
    const part = partOf(addr)
    if (part && addr + part.shift !== own) part.holds = false
  }
  const sorted = references.toSorted((a, b) => a[0] - b[0])
  return addr => {
    const part = partOf(addr)
    if (addr >= there.text - lent.bias && addr < there.etext - lent.bias) return addr
    return part?.holds ? addr + part.shift : part && between(sorted, addr, part)
  }
}

/** Where a part was not moved as a whole: as its neighbours on both sides were, when they agree. */
function between(
  sorted: readonly (readonly [there: number, here: number])[],
  addr: number,
  { start, end }: { start: number; end: number },
): number | undefined {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]![0] <= addr) low = middle + 1
    else high = middle
  }
  const [before, behind] = [sorted[low - 1], sorted[low]]
  if (!before || before[0] < start) return undefined
  const shift = before[1] - before[0]
  if (before[0] === addr) return addr + shift
  return behind && behind[0] < end && behind[1] - behind[0] === shift ? addr + shift : undefined
}

/** Settings that may be why the code differs (runtime/debug.BuildSetting). */
const telling = [
  '-gcflags',
  '-asmflags',
  '-buildmode',
  '-compiler',
  '-race',
  '-msan',
  '-asan',
  '-cover',
  '-tags',
  '-pgo',
]
const tellingNames =
  /^(?:GO(?:AMD64|ARM64|386|ARCH|OS|EXPERIMENT)|CGO_ENABLED|DefaultGODEBUG|vcs\.(?:revision|modified))$/

function settingsText(ran: BuildInfo | undefined, lent: BuildInfo | undefined): string {
  const [own, its] = [ran?.settings ?? {}, lent?.settings ?? {}]
  const keys = [...new Set([...Object.keys(own), ...Object.keys(its)])]
  const differ = keys.filter(
    key => (telling.includes(key) || tellingNames.test(key)) && own[key] !== its[key],
  )
  const shown = (value: string | undefined): string =>
    value === undefined || value === '' ? 'nothing' : value
  const said = differ
    .slice(0, 3)
    .map(key => `${key} is ${shown(its[key])} there and ${shown(own[key])} in the program`)
  return said.length === 0 ? '' : `; ${said.join(', ')}`
}
