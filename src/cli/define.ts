/**
 * What a verb takes, declared as data: yargs parses by it, and the man pages and completion scripts are made from it.
 */
import type { Argv, Options } from 'yargs'
import { UsageError } from '../base/errors.ts'

export interface Option {
  readonly describe: string
  readonly type: 'string' | 'boolean'
  readonly alias?: string
  /** Name of the value in the help: `TIME`. Absent for switches. */
  readonly value?: string
  /** May be given several times. */
  readonly several?: boolean
  /** Turns the text into what the handler gets; throws UsageError. */
  readonly parse?: (text: string, option: string) => unknown
  readonly choices?: readonly string[]
  /** What completes the value in a shell. */
  readonly complete?: 'file' | 'directory'
  /** Heading in the help; absent: `Options`. */
  readonly group?: string
}

export interface Positional {
  readonly describe: string
  readonly several?: boolean
  readonly choices?: readonly string[]
  /** What a shell offers, though other words are taken too. */
  readonly offers?: readonly string[]
  readonly complete?: 'dump' | 'file' | 'command'
}

export interface Spec {
  readonly positionals?: Readonly<Record<string, Positional>>
  readonly options?: Readonly<Record<string, Option>>
  readonly examples?: readonly (readonly [command: string, what: string])[]
}

export interface Builder {
  (yargs: Argv): Argv
  readonly spec: Spec
}

/** Stands before a positional that looks like an option: no argument of a program has a NUL. */
export const noOption = '\0'

/** What was typed. */
function typed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typed)
  return typeof value === 'string' ? value.replaceAll(noOption, '') : value
}

/** A yargs builder that carries its declaration. */
export function define(spec: Spec): Builder {
  const build = (yargs: Argv): Argv => {
    for (const [name, positional] of Object.entries(spec.positionals ?? {}))
      yargs.positional(name, {
        describe: positional.describe,
        type: 'string',
        coerce: typed,
        ...(positional.several ? { array: true } : {}),
        ...(positional.choices ? { choices: positional.choices } : {}),
      })
    for (const [name, option] of Object.entries(spec.options ?? {}))
      yargs.option(name, yargsOption(name, option))
    return yargs
  }
  return Object.assign(build, { spec })
}

/** Our declaration in yargs' terms. */
export function yargsOption(name: string, option: Option): Options {
  return {
    describe: option.describe,
    type: option.type,
    ...(option.alias ? { alias: option.alias } : {}),
    ...(option.type === 'string' ? { requiresArg: true } : {}),
    ...(option.several ? { array: true } : {}),
    ...(option.choices ? { choices: option.choices } : {}),
    coerce: (given: unknown) => {
      // A switch or value that is given twice counts as the last one said.
      const value = Array.isArray(given) && !option.several ? given.at(-1) : given
      if (value === undefined || !option.parse) return value
      return Array.isArray(value)
        ? value.map(text => option.parse!(String(text), `--${name}`))
        : option.parse(String(value), `--${name}`)
    },
  }
}

/** A whole number of at least 0. */
export function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${option} takes a whole number, not ${JSON.stringify(text)}.`)
  return Number(text)
}
