/** What a debugger's commands work on: an open core, the place that is looked at, and how much is shown. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import {
  Code,
  type Debugger,
  type Disassembler,
  formatValue,
  fullLimits,
  type ProgramValue,
  type ProgramVariable,
  type Stack,
  type StackFrame,
  type Subject,
  type ValueLimits,
} from '../../engine/index.ts'
import type { InspectContext } from '../inspect/context.ts'
import { printable } from '../render/escape.ts'
import type { Look } from '../render/style.ts'
import { count } from '../render/text.ts'
import type { SourceFinder } from '../source-lines.ts'
import { defaultSettings, type Settings } from './settings.ts'

export interface Position {
  readonly subject: Subject | undefined
  readonly stack: Stack | undefined
  readonly frame: StackFrame | undefined
  /** Looking from a deferred call's function: its number. */
  readonly deferred?: number
}

export interface StateOptions {
  readonly debugger: Debugger
  readonly label: string
  readonly id?: string
  readonly look: Look
  readonly sources: SourceFinder
  readonly disassembler: () => Promise<Disassembler>
  readonly settings?: Partial<Settings>
}

/** gcc's pieces and copies of a function (`f.cold`, `f.part.0`, `f.constprop.0`) by its name. */
function cName(symbol: string): string {
  return symbol.replace(/(?:\.(?:cold|part|constprop|isra|lto_priv|llvm)(?:\.\d+)?)+$/, '')
}

export class DebugState {
  readonly debugger: Debugger
  readonly label: string
  readonly id: string | undefined
  readonly look: Look
  readonly sources: SourceFinder
  readonly code: Code
  readonly displays: string[] = []
  /** Names that the user has given to commands. */
  readonly aliases = new Map<string, string>()
  /** Where what is printed goes, too; `alone`: there and nowhere else. */
  transcript: { readonly fd: number; readonly alone: boolean } | undefined
  /** Answers are printed for a program, one a line. */
  json = false
  /** The user does not want the rest of an answer. */
  interrupted = false
  /** How work that may take long is done: such that Ctrl-C ends it, where someone sits before the prompt. */
  guard: <T>(work: () => T) => T = work => work()
  /** The user wants to leave. */
  done = false
  settings: Settings
  position: Position
  /** Where `list` without an argument goes on. */
  listed: { readonly file: string; readonly line: number; readonly function: string } | undefined
  readonly #disassembler: () => Promise<Disassembler>

  constructor(options: StateOptions) {
    this.debugger = options.debugger
    this.label = options.label
    this.id = options.id
    this.look = options.look
    this.sources = options.sources
    this.settings = { ...defaultSettings, ...options.settings }
    this.#disassembler = options.disassembler
    const { image, runtime } = options.debugger.process
    this.code = new Code(image, runtime)
    this.position = this.placeOf(options.debugger.start())
  }

  /** A subject's stack with the frame that one wants to see first. */
  placeOf(subject: Subject | undefined): Position {
    if (!subject) return { subject, stack: undefined, frame: undefined }
    const stack = this.debugger.stack(subject)
    return { subject, stack, frame: this.debugger.interesting(stack) }
  }

  /** The frame with this number, or the innermost one of a function. Throws NotFoundError. */
  frameNamed(text: string, { stack }: Position = this.position): StackFrame {
    const frames = stack?.frames ?? []
    const found = /^\d{1,9}$/.test(text)
      ? frames[Number(text)]
      : frames.find(
          ({ function: name }) =>
            name === text || name.endsWith(`.${text}`) || name.endsWith(`/${text}`) || cName(name) === text,
        )
    if (!found)
      throw new NotFoundError(
        frames.length === 0
          ? 'There is no stack to look at.'
          : `There is no frame ${text}: the stack has ${count(frames.length, 'frame')}, 0 to ${frames.length - 1}.`,
      )
    return found
  }

  /** The frame that is looked at; throws NotFoundError where there is none. */
  get frame(): StackFrame {
    const { frame } = this.position
    if (!frame) throw new NotFoundError('There is no stack to look at.')
    return frame
  }

  get thread(): number | undefined {
    return this.position.subject && this.debugger.threadOf(this.position.subject)
  }

  evaluate(expression: string): ProgramVariable {
    if (expression.trim() === '') throw new UsageError('An expression is missing.')
    return this.debugger.evaluate(expression, this.position)
  }

  get limits(): ValueLimits {
    const { maxStringLen, maxArrayValues, maxVariableRecurse, maxStructFields } = this.settings
    return {
      ...fullLimits,
      text: maxStringLen,
      items: maxArrayValues,
      depth: maxVariableRecurse,
      fields: maxStructFields < 0 ? Number.POSITIVE_INFINITY : maxStructFields,
    }
  }

  load(variable: ProgramVariable, limits: ValueLimits = this.limits): ProgramValue {
    return this.debugger.load(variable, limits)
  }

  /** A value's text, safe to print, as lines. */
  text(value: ProgramValue, options: { lines: boolean }): string[] {
    return cleanLines(formatValue(value, { ...options, raw: this.settings.raw }))
  }

  /** For the commands that show code and memory. */
  async inspect(): Promise<InspectContext> {
    const { process } = this.debugger
    return {
      process,
      code: this.code,
      disassembler: await this.#disassembler(),
      sources: this.sources,
      look: this.look,
      frame: this.position.frame,
      thread: this.thread,
      evaluate: text => this.address(text),
    }
  }

  /** The address that an expression is, or that it points to. Throws ExpressionError and UsageError. */
  address(text: string): number {
    const value = this.load(this.evaluate(text))
    if (value.kind === 'int') return Number(value.value)
    if (value.kind === 'pointer' || value.kind === 'unsafe.Pointer') return Number(value.pointer)
    if (value.kind === 'chan') return value.pointer
    if (value.address !== undefined) return value.address
    throw new UsageError(`${text} is no address.`)
  }
}

/** Text of the dump as lines in which only tabs are no letters. */
export function cleanLines(text: string): string[] {
  return text.split('\n').map(clean)
}

export function clean(text: string): string {
  return text.split('\t').map(printable).join('\t')
}
