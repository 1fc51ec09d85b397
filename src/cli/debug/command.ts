/**
 * One command of the debugger: a row that the interpreter, the command line, `help` and completion read. What a command
 * finds is an answer: lines for people, and data for programs.
 */
import { UsageError } from '../../base/errors.ts'
import type { DebugState } from './state.ts'

export interface Answer {
  /** Made when they are read; may hold colours, and nothing of the dump that is not printable. */
  lines(): Iterable<string>
  /** For --json. */
  data?(): Record<string, unknown>
  /** What the data is, where that is not the command's own schema. */
  readonly schema?: string
  /** Whether nothing is what was asked for. */
  empty?(): boolean
}

/** What the last word of a command line is completed from. */
export type Completion =
  | 'command'
  | 'expression'
  | 'function'
  | 'goroutine'
  | 'frame'
  | 'topic'
  | 'thread'
  | 'type'
  | 'file'
  | 'setting'

export interface DebugCommand {
  readonly name: string
  /** Delve's and GDB's other names for it. */
  readonly aliases?: readonly string[]
  /** As help shows it: `print [%FORMAT] EXPRESSION`. */
  readonly usage: string
  /** One line. */
  readonly describe: string
  /** More lines for `help NAME`. */
  readonly details?: readonly string[]
  readonly complete?: Completion
  /** An empty line repeats it, as in GDB. */
  readonly repeats?: boolean
  /** Name of the JSON document, see gocore-report(5). */
  readonly schema?: string
  /** `rest` is what stands behind the name. Throws SinkError. */
  run(state: DebugState, rest: string): Answer | Promise<Answer>
}

/** An answer of a few lines. */
export function say(...lines: string[]): Answer {
  return { lines: () => lines }
}

export const silence: Answer = { lines: () => [] }

/** The words of a line; quotes keep blanks together. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) =>
    double === undefined ? (single ?? plain!) : double.replace(/\\(.)/g, '$1'),
  )
}

/** The first word and what follows it. */
export function splitFirst(text: string): [first: string, rest: string] {
  const trimmed = text.trim()
  const at = trimmed.search(/\s/)
  return at < 0 ? [trimmed, ''] : [trimmed.slice(0, at), trimmed.slice(at).trim()]
}

export function count(text: string, what: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${what} is a number, not ${JSON.stringify(text)}.`)
  return Number(text)
}
