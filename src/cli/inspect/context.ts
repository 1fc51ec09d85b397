/**
 * What the verbs that look into a process's machine code, memory and files work on: an open session and a place in it.
 * The command line and the interactive debugger both make one, so that a verb is written once.
 */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import {
  amd64DwarfNames,
  type Code,
  type Disassembler,
  type Process,
  type StackFrame,
} from '../../engine/index.ts'
import type { Look } from '../render/style.ts'
import type { SourceFinder } from '../source-lines.ts'

export interface InspectContext {
  readonly process: Process
  readonly code: Code
  readonly disassembler: Disassembler
  readonly sources: SourceFinder
  readonly look: Look
  /** The frame that is looked at; undefined where no stack is to be had. */
  readonly frame: StackFrame | undefined
  /** Kernel thread whose registers the innermost frame has; undefined for a goroutine that waits. */
  readonly thread: number | undefined
  /** Value of an expression as an address, for whoever has an evaluator; throws UsageError. */
  readonly evaluate?: (text: string) => number
}

/**
 * An address as people write it: a number, `$pc`, `$sp` or a register, a function's name or a variable's, each with
 * `+` or `-` a number, and what the evaluator knows. Throws UsageError.
 */
export function parseAddress(text: string, context: InspectContext): number {
  const simple = simpleAddress(text.trim(), context)
  if (simple !== undefined) return simple
  if (context.evaluate) return context.evaluate(text)
  throw new UsageError(
    `${JSON.stringify(text)} is no address: it takes a number, $pc, a register or a function, with + or - a number.`,
  )
}

function simpleAddress(text: string, context: InspectContext): number | undefined {
  const sum = /^(.+?)\s*([+-])\s*(0x[0-9a-f]{1,16}|\d{1,18})$/i.exec(text)
  if (sum) {
    const base = simpleAddress(sum[1]!, context)
    return base === undefined ? undefined : base + (sum[2] === '+' ? 1 : -1) * Number(sum[3])
  }
  if (/^(?:0x[0-9a-f]{1,16}|\d{1,18})$/i.test(text)) return inUserSpace(Number(text), text)
  const register = /^\$(\w+)$/.exec(text)
  if (register) return registerOf(register[1]!.toLowerCase(), context)
  if (!/^&?[\p{L}_][\p{L}\p{N}_.*()/\-[\]]*$/u.test(text)) return undefined
  return context.code.findFunctions(text.replace(/^&/, ''), 1)[0]?.start
}

function inUserSpace(addr: number, text: string): number {
  if (addr <= Number.MAX_SAFE_INTEGER) return addr
  throw new UsageError(`${text} is past the end of every program's memory.`)
}

function registerOf(name: string, { frame, process }: InspectContext): number {
  if (!frame) throw new NotFoundError('There is no frame to take registers from.')
  if (name === 'pc' || name === 'rip') return frame.pc
  if (name === 'sp' || name === 'rsp') return frame.sp
  const number = amd64DwarfNames.indexOf((name === 'fp' ? process.image.arch.fp : name) as 'rip')
  const known = frame.registers.get(number)
  if (number < 0) throw new UsageError(`There is no register ${name}.`)
  if (!known) throw new NotFoundError(`The value of ${name} in this frame is not known.`)
  return Number(known.value)
}
