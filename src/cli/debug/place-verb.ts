/**
 * `goroutine N [DUMP] [COMMAND]` and the like: verbs that look from a place, and may run a command of the debugger there.
 * Which words are the dump and which the command is decided before the command line is read.
 */
import { existsSync } from 'node:fs'
import { UsageError } from '../../base/errors.ts'
import { takesNext } from '../command-line.ts'
import type { Option, Positional } from '../define.ts'
import { isPath } from '../dump-or-word.ts'
import { globalOptions } from '../options.ts'
import { shellWord } from '../render/program.ts'
import { commands } from './table.ts'

interface Form {
  /** Options that the verb takes. */
  readonly options: Readonly<Record<string, Option>>
  /** Whether the first word is the number, given that so many words follow it. */
  readonly isNumber: (word: string, following: number) => boolean
}

/** Whether a word can begin a command of the debugger; beginnings of names only where they are no ids. */
export function isCommand(word: string): boolean {
  const name = /^([a-z]+)(?:\/\w*)?$/.exec(word)?.[1]
  return commands().some(command => command.name === name || command.aliases?.includes(name!))
}

/**
 * Options first, then three words: the number, the dump and the command, each empty where it was left out. What follows
 * the command's name belongs to it, except for the verb's own options with two dashes.
 */
export function numberDumpCommand(args: readonly string[], { options, isNumber }: Form): string[] {
  const known = { ...options, ...globalOptions }
  const own: string[] = []
  const words: string[] = []
  const command: string[] = []
  let numbered: boolean | undefined
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    const isOwn = command.length === 0 ? /^-./.test(word) : /^--[a-z]/.test(word)
    if (isOwn) {
      own.push(word)
      if (takesNext(word, known) && i + 1 < args.length) own.push(args[++i]!)
      continue
    }
    if (command.length > 0) {
      command.push(word)
      continue
    }
    const following = args.slice(i + 1).filter(next => !next.startsWith('-')).length
    numbered ??= isNumber(word, following)
    const places = numbered ? 2 : 1
    const isFirst = words.length === 0 && numbered
    if (!isFirst && (words.length >= places || (isCommand(word) && !existsSync(word)))) command.push(word)
    else words.push(word)
  }
  if (words.length === 0 && command.length === 0) return own
  const number = numbered ? (words.shift() ?? '') : ''
  return [...own, number, words[0] ?? '', ...(command.length > 0 ? [command.join(' ')] : [])]
}

/** A number of frames or of a deferred call, and no dump. */
export const isSmallNumber = (word: string): boolean => /^\d{1,3}$/.test(word) && !existsSync(word)

export const runsCommand: Positional = {
  describe: 'a command of the debugger that is run there, see gocore-sink-debug(1)',
  several: true,
  offers: 'bt print locals args list disassemble regs x whatis frame deferred'.split(' '),
}

/** Throws UsageError where the dump stands first, as print and others take it, or alone. */
export function dumpIsLast(
  verb: string,
  what: string,
  [first, dump]: readonly [string, string | undefined],
  isFirst: RegExp,
): void {
  if (dump === undefined && isPath(first)) throw new UsageError(`${verb} takes ${what} before ${first}.`)
  const swapped = dump !== undefined && isFirst.test(dump) && !existsSync(dump) && !isFirst.test(first)
  if (swapped)
    throw new UsageError(
      `${verb} takes the dump last: gocore-sink ${verb} ${[dump, first].map(shellWord).join(' ')}`,
    )
}

/** What was left out is no dump. */
export function withDump<Args extends { dump?: string }>(argv: Args): Args {
  if (argv.dump !== '') return argv
  const { dump: _, ...rest } = argv
  return rest as Args
}
