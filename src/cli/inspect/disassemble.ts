/** `disassemble`: machine code of a function or a range, with its source lines, as `dlv` lays it out. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import {
  type CodeFunction,
  explainFault,
  type Instruction,
  instructionText,
  type Syntax,
} from '../../engine/index.ts'
import { printable } from '../render/escape.ts'
import { palette } from '../render/style.ts'
import { type InspectContext, parseAddress } from './context.ts'
import { parseLocation } from './location.ts'

export interface DisassembleOptions {
  readonly syntax: Syntax
  /** First address, and the first behind the last instruction. */
  readonly range?: readonly [string, string]
  /** Function, `FILE:LINE` or address: the function that holds it. */
  readonly location?: string
  /** Without the lines of source between. */
  readonly plain?: boolean
}

/** A range that is larger is a mistake, or hostile. */
const maxBytes = 1 << 20
export const syntaxes = ['go', 'intel', 'gnu'] as const

/** `[-a START END] [-l LOCATION] [-s go|intel|gnu]`, as `dlv` has them. Throws UsageError. */
export function parseDisassemble(words: readonly string[]): DisassembleOptions {
  let options: DisassembleOptions = { syntax: 'intel' }
  for (let i = 0; i < words.length; ) {
    const word = words[i]!
    const value = (n: number): string => {
      const text = words[i + n]
      if (text === undefined) throw new UsageError(`disassemble ${word} lacks its value.`)
      return text
    }
    if (word === '-a') {
      options = { ...options, range: [value(1), value(2)] }
      i += 3
    } else if (word === '-l') {
      options = { ...options, location: words.slice(i + 1).join(' ') || value(1) }
      i = words.length
    } else if (word === '-s') {
      options = { ...options, syntax: parseSyntax(value(1)) }
      i += 2
    } else if (/^\/[msr]+$/.test(word)) i++
    else if (i === words.length - 1 && !word.startsWith('-')) {
      options = { ...options, location: word }
      i++
    } else
      throw new UsageError(
        `disassemble does not know ${JSON.stringify(word)}; it takes -a START END, -l FUNCTION and -s SYNTAX.`,
      )
  }
  return options
}

export function parseSyntax(text: string): Syntax {
  const found = syntaxes.find(name => name === text)
  if (found === undefined)
    throw new UsageError(`${JSON.stringify(text)} is no syntax: it is ${syntaxes.join(', ')}.`)
  return found
}

export interface DisassembledInstruction {
  readonly addr: number
  readonly bytes: Uint8Array
  readonly text: string
  readonly file?: string
  readonly line?: number
  /** The frame that is looked at is here. */
  readonly here: boolean
  /** Why it faulted, where it did. */
  readonly fault?: string
}

export interface Disassembly {
  readonly function?: CodeFunction
  readonly instructions: readonly DisassembledInstruction[]
  /** Addresses of which the core holds no bytes. */
  readonly missing: number
}

/** What is asked for as data. Throws NotFoundError where there is no such function or no bytes. */
export function disassemble(context: InspectContext, options: DisassembleOptions): Disassembly {
  const { code, frame } = context
  const [start, end, func] = rangeOf(context, options)
  if (end - start > maxBytes)
    throw new UsageError(
      `0x${start.toString(16)} to 0x${end.toString(16)} is more than the ${maxBytes} bytes that are disassembled at once.`,
    )
  const bytes = code.read(start, end)
  if (bytes.length === 0)
    throw new NotFoundError(
      `Address 0x${start.toString(16)} is neither in the core nor in a file that was found.`,
    )
  const list = context.disassembler.decode(bytes, start, options.syntax, maxBytes)
  const faults = context.process.fault()
  return {
    ...(func ? { function: func } : {}),
    instructions: list.map(instruction => ({
      addr: instruction.addr,
      bytes: instruction.bytes,
      text: instructionText(instruction, options.syntax, addr => code.symbolAt(addr)),
      ...code.lineAt(instruction.addr),
      here: instruction.addr === frame?.pc,
      ...faultOf(instruction, faults),
    })),
    missing: end - start - bytes.length,
  }
}

function faultOf(
  instruction: Instruction,
  fault: ReturnType<InspectContext['process']['fault']>,
): { fault?: string } {
  if (!fault || fault.pc !== instruction.addr) return {}
  const why = explainFault(instruction, fault, name => fault.registers?.get(name))
  const signal = fault.signalName ?? 'fault'
  return { fault: why === undefined ? signal : `${signal}: ${why}` }
}

function rangeOf(
  context: InspectContext,
  { range, location }: DisassembleOptions,
): [start: number, end: number, func: CodeFunction | undefined] {
  const { code, frame } = context
  if (range) {
    const [start, end] = range.map(text => parseAddress(text, context)) as [number, number]
    if (end <= start) throw new UsageError(`The range ends at ${range[1]}, before it begins at ${range[0]}.`)
    return [start, end, undefined]
  }
  const pc = location === undefined ? frame?.pc : parseLocation(location, context)
  if (pc === undefined) throw new NotFoundError('There is no frame to disassemble; -l names a function.')
  const func = code.functionAt(pc) ?? (frame?.pc === pc ? code.functionAt(frame.lookupPc) : undefined)
  if (func) return [func.start, func.end, func]
  // No function that anyone knows: what follows, as far as a screen goes.
  return [pc, pc + 128, undefined]
}

/** The lines that are printed. */
export function* disassemblyLines(context: InspectContext, options: DisassembleOptions): Generator<string> {
  const { code, look, sources } = context
  const { dim, bold, bad } = palette(look)
  const { function: func, instructions, missing } = disassemble(context, options)
  if (func) yield bold(printable(`TEXT ${func.name}(SB)${func.file === undefined ? '' : ` ${func.file}`}`))
  const rows = instructions.map(row => ({
    ...row,
    place: row.file === undefined ? '' : printable(`${row.file.split('/').at(-1)}:${row.line}`),
    hex: Buffer.from(row.bytes).toString('hex'),
  }))
  const widths = {
    place: Math.max(0, ...rows.map(row => row.place.length)),
    hex: Math.min(16, Math.max(0, ...rows.map(row => row.hex.length))),
  }
  let last = ''
  for (const row of rows) {
    if (row.place !== last && row.file !== undefined && !options.plain) {
      last = row.place
      const place = { file: row.file, line: row.line!, function: code.functionsAt(row.addr)[0] ?? '' }
      const [source] = sources.lines(place, { before: 0, after: 0 }) ?? []
      if (source) yield dim(`    ${printable(source.text)}`)
    }
    const columns = [
      row.here ? '=>' : '  ',
      row.place.padEnd(widths.place),
      `0x${row.addr.toString(16)}`,
      row.hex.padEnd(widths.hex),
    ]
    const line = `${columns.join('  ')}  ${printable(row.text)}`.trimEnd()
    yield row.here ? bold(line) : line
    if (row.fault !== undefined) yield bad(`    ^ ${printable(row.fault)}`)
  }
  if (missing > 0) yield dim(`    (${missing} bytes more are in neither the core nor a file)`)
}
