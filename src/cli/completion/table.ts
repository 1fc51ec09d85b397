/** The command line as data, for the completion scripts and the man pages: made from the verbs themselves. */
import type { Option, Positional, Spec } from '../define.ts'
import { globalOptions } from '../options.ts'
import { nameOf, type Verb, verbs } from '../verbs.ts'

export interface VerbTable {
  readonly verb: Verb
  readonly name: string
  readonly spec: Spec
  readonly positionals: readonly (readonly [name: string, positional: Positional])[]
  readonly options: readonly (readonly [name: string, option: Option])[]
}

export const everywhere: readonly (readonly [string, Option])[] = [
  ...Object.entries(globalOptions),
  ['help', { type: 'boolean', alias: 'h', describe: 'show this help' }],
]

/** Loads every verb. */
export async function commandTable(): Promise<VerbTable[]> {
  return Promise.all(
    verbs.map(async verb => {
      const { spec } = (await verb.load()).builder
      return {
        verb,
        name: nameOf(verb),
        spec,
        positionals: Object.entries(spec.positionals ?? {}),
        options: Object.entries(spec.options ?? {}),
      }
    }),
  )
}

/** `--since`, `-S`: an option as it is typed. */
export const spellings = ([name, option]: readonly [string, Option]): string[] => [
  `--${name}`,
  ...(option.alias ? [`-${option.alias}`] : []),
]

/** What completes a value. */
export type Kind = 'dump' | 'file' | 'directory' | 'command' | 'words' | 'nothing'

export const kindOf = (item: Option | Positional): Kind =>
  item.complete ?? (wordsFor(item) ? 'words' : 'nothing')

/** The words that a shell offers for a value. */
export const wordsFor = (item: Option | Positional): readonly string[] | undefined =>
  item.choices ?? ('offers' in item ? item.offers : undefined)

/** The verb's name and what it is also called. */
export const namesOf = ({ name, verb: { aliases = [] } }: VerbTable): readonly string[] => [name, ...aliases]
