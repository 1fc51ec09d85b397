/** A lone word behind a verb that takes a dump and something else: which of the two it is. */
import { existsSync } from 'node:fs'
import { NotFoundError } from '../base/errors.ts'
import { dumpsByPrefix, looksLikeId } from './find-dump.ts'
import type { TargetArgs } from './options.ts'
import { openSite } from './site.ts'

export interface DumpAndWord {
  readonly dump: string | undefined
  readonly word: string | undefined
  /** The word stood alone, and may have been meant as a dump. */
  readonly lone: boolean
}

/** Whether a word is the path of a file, whatever else stands for a dump. */
export const isPath = (word: string): boolean => /^[./]/.test(word) || existsSync(word)

/** A file or a dump where there is one of that name; else a word about the latest dump. */
export async function dumpOrWord(
  args: TargetArgs,
  dump: string | undefined,
  word: string | undefined,
): Promise<DumpAndWord> {
  if (dump === undefined || word !== undefined) return { dump, word, lone: false }
  const isDump = isPath(dump) || (await isKnown(args, dump))
  return isDump ? { dump, word: undefined, lone: false } : { dump: undefined, word: dump, lone: true }
}

async function isKnown(args: TargetArgs, text: string): Promise<boolean> {
  if (!looksLikeId(text)) return false
  using site = openSite(args)
  return (await dumpsByPrefix(site, text)).length > 0
}

/** The arguments with another dump. */
export function targeted<Args extends { dump?: string }>(argv: Args, dump: string | undefined): Args {
  const { dump: _, ...rest } = argv
  return (dump === undefined ? rest : { ...rest, dump }) as Args
}

/** For a lone word that nothing of the latest dump matches. */
export function neither(word: string, what: string): NotFoundError {
  const text = JSON.stringify(word)
  return new NotFoundError(
    `There is no dump or file ${text}, and no ${what} of the latest dump that matches it.`,
  )
}
