/**
 * Exit codes, in one table: the help, every man page and the code read it. They are stable, so that scripts may
 * branch on them.
 */
import type { ErrorCode } from '../../base/errors.ts'

export const Exit = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  mismatch: 4,
  unreadable: 5,
  findings: 6,
} as const
export type Exit = (typeof Exit)[keyof typeof Exit]

export const exitMeanings: Record<keyof typeof Exit, string> = {
  ok: 'Done; for a reader: something was found and printed.',
  failure:
    'The work failed: no permission, no space, a file that cannot be opened, an expression without a value. The message says which.',
  usage: 'The command line or the configuration is wrong.',
  notFound:
    'What was asked for does not exist: no such dump, goroutine or file, or nothing matched a filter.',
  mismatch: 'The executable is not the program that crashed.',
  unreadable: 'The input is damaged, or of a kind or version that this program does not read.',
  findings: 'verify, reindex, doctor or test-crash ran to its end and found something wrong.',
}

const ofError: Record<ErrorCode, Exit> = {
  FORMAT: Exit.unreadable,
  MEMORY_FAULT: Exit.unreadable,
  UNSUPPORTED: Exit.unreadable,
  MISMATCH: Exit.mismatch,
  ARCHIVE: Exit.failure,
  NOT_FOUND: Exit.notFound,
  USAGE: Exit.usage,
  CONFIG: Exit.usage,
  SYSTEM: Exit.failure,
  EXPRESSION: Exit.failure,
}

/** The exit code for anything thrown. */
export function exitOf(error: unknown): Exit {
  const code = (error as { code?: unknown } | null)?.code
  return (typeof code === 'string' && ofError[code as ErrorCode]) || Exit.failure
}
