/**
 * The words of other debuggers, put into ours before the command line is read: `p` for print, `x/30i '$pc'`, `-full` with
 * one dash, a debugger's command behind the dump.
 */
import { UsageError } from '../base/errors.ts'
import { noOption, type Option } from './define.ts'
import { globalOptions } from './options.ts'
import { nameOf, type Verb, verbs } from './verbs.ts'

/** Where the verb stands; -1 where there is none. */
export function verbIndex(args: readonly string[]): number {
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word === '--') return -1
    if (!word.startsWith('-')) return i
    if (takesNext(word, globalOptions)) i++
  }
  return -1
}

export function verbNamed(word: string): Verb | undefined {
  return verbs.find(verb => nameOf(verb) === word || verb.aliases?.includes(word))
}

/** The same command line with the verb by its own name, and what follows as the verb wants it. */
export async function prepared(args: readonly string[]): Promise<string[]> {
  const at = verbIndex(args)
  if (at < 0) return [...args]
  // GDB hangs formats on the name.
  const [, name, format] = /^([a-z]+)\/(-?\w*)$/.exec(args[at]!) ?? [undefined, args[at]!, undefined]
  const verb = verbNamed(name!)
  if (!verb) return [...args]
  const { builder, prepare } = await verb.load()
  const options = builder.spec.options ?? {}
  const formatOption = 'gdb' in options ? '--gdb' : 'format' in options ? '--format' : undefined
  if (format !== undefined && formatOption === undefined) return [...args]
  const before = [
    ...args.slice(0, at),
    nameOf(verb),
    ...(format === undefined ? [] : [`${formatOption}=${format}`]),
  ]
  const given = args.slice(at + 1)
  const known = { ...globalOptions, ...options }
  refuseValues(args, known)
  // What stands behind `--` is another program's there.
  if (nameOf(verb) === 'run') return [...before, ...given]
  const ours = behindAsWords(given, known)
  const rest = prepare ? prepare(ours) : ours
  return [...before, ...rest.filter(word => word !== '--').map(word => twoDashes(word, options))]
}

/** yargs makes no positionals of what stands behind `--`: it gets that as words that don't look like options to it. */
function behindAsWords(
  given: readonly string[],
  options: Readonly<Record<string, Option>>,
): readonly string[] {
  const end = given.indexOf('--')
  if (end < 0) return given
  const last = given[end - 1]
  if (last?.startsWith('-') && takesNext(last, options))
    throw new UsageError(`${last} needs a value, and -- is none.`)
  return given.map((word, i) => (i > end && word.startsWith('-') ? noOption + word : word))
}

/** Throws UsageError for a switch with a value, which yargs would take for a switch that is off. */
function refuseValues(args: readonly string[], options: Readonly<Record<string, Option>>): void {
  for (const word of args) {
    if (word === '--') return
    const [, name, value] = /^(--?[\w-]+)=(.*)$/s.exec(word) ?? []
    if (name === undefined || /^(?:true|false)$/.test(value!)) continue
    if (optionOf(name, options)?.type === 'boolean')
      throw new UsageError(`${name} takes no value, and ${JSON.stringify(value)} is one.`)
  }
}

/** Delve's options have one dash. */
function twoDashes(word: string, options: Readonly<Record<string, Option>>): string {
  const name = /^-([a-z][a-z-]+)(?:=.*)?$/.exec(word)?.[1]
  return name !== undefined && Object.hasOwn(options, name) ? `-${word}` : word
}

/** Whether the word after an option is its value. */
export function takesNext(word: string, options: Readonly<Record<string, Option>>): boolean {
  return optionOf(word, options)?.type === 'string'
}

function optionOf(word: string, options: Readonly<Record<string, Option>>): Option | undefined {
  const name = word.replace(/^--?/, '')
  return Object.hasOwn(options, name)
    ? options[name]
    : Object.values(options).find(({ alias }) => alias === name)
}
