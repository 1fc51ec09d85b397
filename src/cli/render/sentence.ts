/** Whatever was thrown as one sentence for people; what is not ours is named as an error of this program. */
import { statSync } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import { FormatError, SinkError } from '../../base/errors.ts'
import { printable } from './escape.ts'

/** Without a line break at its end; further lines are indented. */
export function sentenceOf(error: unknown): string {
  const text =
    error instanceof SinkError ? ownSentence(error) : systemSentence(error as NodeJS.ErrnoException)
  const hint = isDenied(error) ? '; it takes root, or a member of the group that the configuration names' : ''
  return (text + hint).split('\n').map(printable).join('\n  ')
}

function ownSentence(error: SinkError): string {
  if (error instanceof FormatError && error.section === 'ELF header') {
    const { file, offset } = error
    if (offset === 16) return `${file} is a program or a library, not a core file; --exe names the program.`
    if (offset === 0)
      return isEmpty(file)
        ? `${file} is empty.`
        : `${file} is no core file and no program: it is not an ELF file.`
  }
  // `Cannot open x: ENOENT`: the code alone says it only to some.
  return error.message.replace(/: (E[A-Z0-9]+)$/, (whole, code: string) => {
    const words = wordsOf(code)
    return words === undefined ? whole : `: ${words} (${code})`
  })
}

function wordsOf(code: string): string | undefined {
  for (const [name, words] of getSystemErrorMap().values()) if (name === code) return words
  return undefined
}

function isEmpty(path: string): boolean {
  try {
    return statSync(path).size === 0
  } catch {
    return false
  }
}

/** `Could not open /x: permission denied (EACCES)`. */
function systemSentence({ message, code, syscall, path }: NodeJS.ErrnoException): string {
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code))
    return `Internal error: ${message} (--debug shows where; please report it)`
  const what = /^\w+: ([^,]+)/.exec(message)?.[1] ?? message
  return `Could not ${syscall ?? 'finish'}${path ? ` ${path}` : ''}: ${what} (${code})`
}

function isDenied(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  if (process.geteuid?.() === 0) return false
  return code === 'EACCES' || code === 'EPERM' || (cause instanceof Error && isDenied(cause))
}
