/** `examinemem` as Delve has it and `x/8gx` as GDB has it: memory as numbers, text or instructions. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import { instructionText, type Syntax, symbolicAddress } from '../../engine/index.ts'
import { printable } from '../render/escape.ts'
import { palette } from '../render/style.ts'
import { type InspectContext, parseAddress } from './context.ts'
import { type Letter, type Size, unitsPerLine, unitText } from './units.ts'

export type ExamineOptions =
  | {
      readonly style: 'dlv'
      readonly format: DlvFormat
      readonly count: number
      readonly size: number
      readonly address: string
    }
  | {
      readonly style: 'gdb'
      readonly letter: Letter
      readonly count: number
      readonly size: Size
      readonly address: string
      readonly syntax: Syntax
    }

export type DlvFormat = 'bin' | 'oct' | 'dec' | 'hex' | 'raw'

/** dlv's own limit is 1000 bytes; this one only keeps a slip of the finger from printing for minutes. */
const maxBytes = 1 << 16
const maxInstructionBytes = 15
const maxString = 200
const longFormats: Readonly<Record<string, DlvFormat>> = {
  ...{ bin: 'bin', binary: 'bin', oct: 'oct', octal: 'oct', dec: 'dec', decimal: 'dec' },
  ...{ hex: 'hex', hexadecimal: 'hex', raw: 'raw' },
}

/** `[-fmt F] [-count N] [-size N] ADDRESS`, `… -x EXPRESSION`, or `/8gx ADDRESS`. Throws UsageError. */
export function parseExamine(words: readonly string[]): ExamineOptions {
  const [first = '', ...rest] = words
  if (first.startsWith('/')) return parseGdbFormat(first.slice(1), rest.join(' '))
  let [format, count, size]: [DlvFormat, number, number] = ['hex', 1, 1]
  let i = 0
  for (; i < words.length; i += 2) {
    const [word, value] = [words[i]!, words[i + 1]]
    if (!/^-[a-z]+$/.test(word) || word === '-x') break
    if (value === undefined) throw new UsageError(`examinemem ${word} lacks its value.`)
    if (word === '-fmt') format = dlvFormat(value)
    else if (word === '-count' || word === '-len') count = positive(value, word)
    else if (word === '-size') size = positive(value, word)
    else throw new UsageError(`examinemem does not know ${word}; it takes -fmt, -count, -size and -x.`)
  }
  const address = words.slice(words[i] === '-x' ? i + 1 : i).join(' ')
  return dlvExamine(address, format, count, size)
}

/** The same from values. Throws UsageError where they are out of range. */
export function dlvExamine(address: string, format: DlvFormat, count: number, size: number): ExamineOptions {
  if (address === '') throw new UsageError('There is no address to examine.')
  if (size > 8) throw new UsageError(`A unit of memory has 1 to 8 bytes, not ${size}.`)
  return { style: 'dlv', format, count: bounded(count, size), size, address }
}

export function dlvFormat(text: string): DlvFormat {
  const format = longFormats[text]
  if (!format) throw new UsageError(`${JSON.stringify(text)} is no format: it is hex, dec, oct, bin or raw.`)
  return format
}

/** GDB's `8gx`: a count, a letter for the format and one for the size, each with a default. Throws UsageError. */
export function parseGdbFormat(text: string, address: string, syntax: Syntax = 'gnu'): ExamineOptions {
  const match = /^(-?\d{0,9})([a-z]*)$/.exec(text)
  const letters = [...(match?.[2] ?? '')]
  const sizes = letters.filter(letter => 'bhwg'.includes(letter)) as (keyof typeof sizeOf)[]
  const formats = letters.filter(letter => 'xzduotacfsi'.includes(letter)) as Letter[]
  if (!match || sizes.length > 1 || formats.length > 1 || sizes.length + formats.length < letters.length)
    throw new UsageError(
      `/${text} is no format: a count, one of x z d u o t a c f s i, and one of b h w g for 1, 2, 4 and 8 bytes.`,
    )
  if (address.trim() === '') throw new UsageError('There is no address to examine.')
  const letter = formats[0] ?? 'x'
  const size = letter === 'a' ? 8 : sizes[0] ? sizeOf[sizes[0]] : letter === 'c' ? 1 : letter === 'f' ? 8 : 4
  const count = match[1] === '' ? 1 : positive(match[1]!, 'the count')
  return {
    style: 'gdb',
    letter,
    size,
    count: bounded(count, letter === 'i' || letter === 's' ? 1 : size),
    address,
    syntax,
  }
}

const sizeOf = { b: 1, h: 2, w: 4, g: 8 } as const

function positive(text: string, what: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(`${what} takes a number from 1, not ${JSON.stringify(text)}.`)
  return Number(text)
}

function bounded(count: number, size: number): number {
  if (count * size > maxBytes)
    throw new UsageError(`At most ${maxBytes} bytes are examined at once, not ${count * size}.`)
  return count
}

/** The lines; throws NotFoundError where not even the first unit is in the core. */
export function* examineLines(context: InspectContext, options: ExamineOptions): Generator<string> {
  const start = parseAddress(options.address, context)
  if (options.style === 'dlv') yield* dlvLines(context, options, start)
  else if (options.letter === 'i') yield* instructionLines(context, options)
  else if (options.letter === 's') yield* stringLines(context, options.count, start)
  else yield* unitLines(context, options, start)
}

/** The bytes, for `-fmt raw`, which are written as they are, and for JSON. Throws NotFoundError. */
export function examinedBytes(
  context: InspectContext,
  options: ExamineOptions,
): { start: number; bytes: Uint8Array } {
  const start = parseAddress(options.address, context)
  const wanted = options.count * options.size
  const bytes = context.code.read(start, start + wanted)
  if (bytes.length === 0) throw missing(start)
  return { start, bytes }
}

function* dlvLines(
  context: InspectContext,
  options: ExamineOptions & { style: 'dlv' },
  start: number,
): Generator<string> {
  const { size, count, format } = options
  const { bytes } = examinedBytes(context, options)
  if (format === 'raw') {
    yield printable(Buffer.from(bytes).toString('latin1'))
    return
  }
  const columns = format === 'bin' ? 4 : 8
  const digits = (start + count * size).toString(16).length
  for (let at = 0; at < bytes.length; at += columns * size) {
    const cells: string[] = []
    for (let cell = at; cell < at + columns * size && cell + size <= bytes.length; cell += size)
      cells.push(`${dlvUnit(bytes.subarray(cell, cell + size), format)}   `)
    if (cells.length > 0) yield `0x${(start + at).toString(16).padStart(digits, '0')}:   ${cells.join('')}`
  }
  yield* missingLine(context, start + bytes.length, count * size - bytes.length)
}

/** Little endian; dlv's widths: three digits a byte where it is decimal or octal, which has one zero more. */
function dlvUnit(bytes: Uint8Array, format: Exclude<DlvFormat, 'raw'>): string {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  if (format === 'bin') return value.toString(2).padStart(bytes.length * 8, '0')
  if (format === 'oct') return `0${value.toString(8).padStart(bytes.length * 3, '0')}`
  if (format === 'dec') return value.toString().padStart(bytes.length * 3, '0')
  return `0x${value.toString(16).padStart(bytes.length * 2, '0')}`
}

function* unitLines(
  context: InspectContext,
  options: ExamineOptions & { style: 'gdb' },
  start: number,
): Generator<string> {
  const { letter, size, count } = options
  const { bytes } = examinedBytes(context, options)
  if (bytes.length < size) throw missing(start)
  const perLine = unitsPerLine(letter, size)
  const symbol = (addr: number): string | undefined => symbolicAddress(addr, at => context.code.symbolAt(at))
  for (let at = 0; at + size <= bytes.length; at += perLine * size) {
    const cells: string[] = []
    for (let cell = at; cell < at + perLine * size && cell + size <= bytes.length; cell += size)
      cells.push(unitText(bytes.subarray(cell, cell + size), letter, symbol))
    yield `${label(context, start + at)}\t${cells.map(printable).join('\t')}`
  }
  yield* missingLine(context, start + bytes.length - (bytes.length % size), count * size - bytes.length)
}

interface ExaminedInstruction {
  readonly addr: number
  readonly bytes: Uint8Array
  readonly text: string
}

/** So many as are asked for, with `i`. Throws NotFoundError. */
export function examinedInstructions(
  context: InspectContext,
  { address, count, syntax }: ExamineOptions & { style: 'gdb' },
): ExaminedInstruction[] {
  const { code, disassembler } = context
  const start = parseAddress(address, context)
  const bytes = code.read(start, start + count * maxInstructionBytes)
  if (bytes.length === 0) throw missing(start)
  return disassembler.decode(bytes, start, syntax, count).map(instruction => ({
    addr: instruction.addr,
    bytes: instruction.bytes,
    text: instructionText(instruction, syntax, addr => code.symbolAt(addr)),
  }))
}

function* instructionLines(
  context: InspectContext,
  options: ExamineOptions & { style: 'gdb' },
): Generator<string> {
  for (const { addr, text } of examinedInstructions(context, options)) {
    const mark = addr === context.frame?.pc ? '=> ' : '   '
    yield `${mark}${label(context, addr)}\t${printable(text)}`
  }
}

function* stringLines(context: InspectContext, count: number, start: number): Generator<string> {
  let at = start
  for (let i = 0; i < count; i++) {
    const bytes = context.code.read(at, at + maxString + 1)
    if (bytes.length === 0) {
      if (i === 0) throw missing(at)
      return yield* missingLine(context, at, 1)
    }
    const end = bytes.indexOf(0)
    const shown = bytes.subarray(0, end < 0 ? Math.min(bytes.length, maxString) : end)
    const text = Buffer.from(shown).toString('utf8').replace(/["\\]/g, '\\$&')
    yield `${label(context, at)}\t"${printable(text)}"${end < 0 ? '...' : ''}`
    at += shown.length + (end < 0 ? 0 : 1)
  }
}

/** `0x47b2c1 <runtime.raise+33>:` */
function label({ code }: InspectContext, addr: number): string {
  const name = symbolicAddress(addr, at => code.symbolAt(at))
  return `0x${addr.toString(16)}${name === undefined ? '' : ` <${printable(name)}>`}:`
}

function* missingLine({ look }: InspectContext, addr: number, missing: number): Generator<string> {
  if (missing > 0) yield palette(look).dim(`(address 0x${addr.toString(16)} is not in the core)`)
}

const missing = (addr: number): NotFoundError =>
  new NotFoundError(`Address 0x${addr.toString(16)} is neither in the core nor in a file that was found.`)
