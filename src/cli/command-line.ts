/**
 * The words of other debuggers, put into ours before the command line is read: `p` for print, `x/30i '$pc'`, `-full` with
 * one dash, a debugger's command behind the dump.
 */
import type { Option } from './define.ts'
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
  const given = args.slice(at + 1)
  const rest = prepare ? prepare(given) : given
  const behind = rest.indexOf('--')
  const own = behind < 0 ? rest : rest.slice(0, behind)
  return [
    ...args.slice(0, at),
    nameOf(verb),
    ...(format === undefined ? [] : [`${formatOption}=${format}`]),
    ...own.map(word => twoDashes(word, options)),
    ...(behind < 0 ? [] : rest.slice(behind)),
  ]
}

/** Delve's options have one dash. */
function twoDashes(word: string, options: Readonly<Record<string, Option>>): string {
  const name = /^-([a-z][a-z-]+)(?:=.*)?$/.exec(word)?.[1]
  return name !== undefined && Object.hasOwn(options, name) ? `-${word}` : word
}

/** Whether the word after an option is its value. */
export function takesNext(word: string, options: Readonly<Record<string, Option>>): boolean {
  const name = word.replace(/^--?/, '')
  const option = Object.hasOwn(options, name)
    ? options[name]
    : Object.values(options).find(({ alias }) => alias === name)
  return option?.type === 'string'
}
