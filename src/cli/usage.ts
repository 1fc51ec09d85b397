/** What is wrong with a command line, as a sentence that says what to do. */
import { verbIndex } from './command-line.ts'
import { noOption } from './define.ts'
import { nameOf, verbs } from './verbs.ts'

/** Rewords yargs' complaint about `args`. */
export function usageSentence(message: string, args: readonly string[]): string {
  const text = message.replaceAll(noOption, '').trim().replace(/\s+/g, ' ')
  const word = args[verbIndex(args)] ?? ''
  const verb = verbs.find(known => nameOf(known) === word)
  const help = verb ? `See gocore-sink ${word} --help.` : 'See gocore-sink --help.'
  const meant = /^Did you mean (.*)\?$/.exec(text)
  if (meant) return `There is no verb ${JSON.stringify(word)}. Did you mean ${meant[1]}?`
  if (!verb && /^Unknown (?:command|argument)/.test(text))
    return `There is no verb ${JSON.stringify(word)}. ${help}`
  if (text.startsWith('Not enough non-option arguments')) return `${missing(verb?.command)} ${help}`
  return `${reworded(text).replace(/\.$/, '')}. ${help}`
}

/** `search needs <words..>`: what a verb can't do without. */
function missing(command: string | undefined): string {
  if (command === undefined) return 'A verb is missing.'
  const [name, ...positionals] = command.split(' ')
  return `${name} needs ${positionals.filter(p => p.startsWith('<')).join(' ')}.`
}

function reworded(text: string): string {
  const unknown = /^Unknown arguments?: (.*)$/.exec(text)
  if (unknown) {
    // yargs names a camel-cased twin of each option with dashes too.
    const names = unknown[1]!
      .split(', ')
      .filter((name, i, all) => !all.slice(0, i).some(n => camel(n) === name))
    return `Unknown ${names.map(name => (name.length === 1 ? `option -${name}` : `option or argument ${name}`)).join(', ')}`
  }
  const value = /^Not enough arguments following: (.*)$/.exec(text)
  if (value) return `${dashed(value[1]!)} needs a value`
  const choice = /^Invalid values: Argument: (\S+), Given: (.*), Choices: (.*)$/.exec(text)
  if (choice) return `${choice[2]} is none of ${choice[3]!.replaceAll('"', '')}`
  return text
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
