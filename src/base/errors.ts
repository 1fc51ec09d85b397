/**
 * The error family. Each class has a stable `code` for programs and carries its data;
 * `message` is a sentence for people. The command line maps them to exit codes in one place.
 */
export type ErrorCode =
  | 'FORMAT'
  | 'MEMORY_FAULT'
  | 'UNSUPPORTED'
  | 'MISMATCH'
  | 'ARCHIVE'
  | 'NOT_FOUND'
  | 'USAGE'
  | 'CONFIG'
  | 'SYSTEM'
  | 'EXPRESSION'

export class SinkError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** Bytes that are not what their specification says. `offset` counts bytes within `section` of `file`. */
export class FormatError extends SinkError {
  readonly file: string
  readonly section: string
  readonly offset: number
  readonly problem: string
  constructor(
    where: { file: string; section: string; offset: number },
    problem: string,
    options?: ErrorOptions,
  ) {
    super('FORMAT', `${where.file}: ${where.section} at byte ${where.offset}: ${problem}`, options)
    this.file = where.file
    this.section = where.section
    this.offset = where.offset
    this.problem = problem
  }
}

/** An address that the core and its files do not hold. */
export class MemoryFault extends SinkError {
  readonly addr: number
  readonly reason: string
  constructor(addr: number, reason = 'is not in the core') {
    super('MEMORY_FAULT', `address 0x${addr.toString(16)} ${reason}`)
    this.addr = addr
    this.reason = reason
  }
}

/** Well-formed, but of a kind or version that this program does not know. */
export class UnsupportedError extends SinkError {
  readonly what: string
  constructor(what: string, detail: string, options?: ErrorOptions) {
    super('UNSUPPORTED', `${what}: ${detail}`, options)
    this.what = what
  }
}

/** Two files that do not belong together, for example a core and an executable of another build. */
export class MismatchError extends SinkError {
  constructor(message: string) {
    super('MISMATCH', message)
  }
}

export class ArchiveError extends SinkError {
  constructor(message: string, options?: ErrorOptions) {
    super('ARCHIVE', message, options)
  }
}

/** What was asked for does not exist: an id, a goroutine, a file. */
export class NotFoundError extends SinkError {
  constructor(message: string, options?: ErrorOptions) {
    super('NOT_FOUND', message, options)
  }
}

export class UsageError extends SinkError {
  constructor(message: string) {
    super('USAGE', message)
  }
}

export class ConfigError extends SinkError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONFIG', message, options)
  }
}

/** An expression that is none, or that has no value here. `column` counts characters of `text` from 1. */
export class ExpressionError extends SinkError {
  readonly text: string
  readonly column: number
  readonly problem: string
  constructor(text: string, at: number, problem: string, options?: ErrorOptions) {
    const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text
    super('EXPRESSION', `Cannot evaluate ${JSON.stringify(shown)}: ${problem} (column ${at + 1})`, options)
    this.text = text
    this.column = at + 1
    this.problem = problem
  }
}

/** The system refused: a permission, a missing kernel feature, a full disk. */
export class SystemError extends SinkError {
  constructor(message: string, options?: ErrorOptions) {
    super('SYSTEM', message, options)
  }
}

const ENOSPC = 28
const EDQUOT = 122
/** Of errno(3), what storage gives and Node has no name for. */
const names = new Map([
  [116, 'ESTALE'],
  [EDQUOT, 'EDQUOT'],
])
const numberOf = (error: unknown): number =>
  Math.abs((error as NodeJS.ErrnoException | undefined)?.errno ?? 0)

/** The short text of anything thrown: a system error's name, or the message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof SinkError) return error.message
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code
  // Most errors of Node's rmSync have no number of their own.
  const words = / Unknown error: (.+) '/.exec(error.message)
  if (words) return words[1]!
  const number = numberOf(error)
  return number === 0 ? error.message : (names.get(number) ?? `errno ${number}`)
}

export const isOverQuota = (error: unknown): boolean => numberOf(error) === EDQUOT

/** The storage is full, or the quota of whoever writes. */
export const isNoSpace = (error: unknown): boolean => numberOf(error) === ENOSPC || isOverQuota(error)
