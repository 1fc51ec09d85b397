/**
 * The command line: reads the verb, runs it, and turns whatever it throws into one sentence and an exit code.
 */
import yargs from 'yargs'
import { UsageError } from '../base/errors.ts'
import { toolVersion } from '../base/version.ts'
import { prepared, verbIndex, verbNamed } from './command-line.ts'
import { yargsOption } from './define.ts'
import { globalOptions } from './options.ts'
import { printable } from './render/escape.ts'
import { Exit, exitOf } from './render/exit.ts'
import { ReaderGone, writeAll } from './render/output.ts'
import { sentenceOf } from './render/sentence.ts'
import { lookOf } from './render/style.ts'
import { usageSentence } from './usage.ts'
import { nameOf, verbs } from './verbs.ts'

void main(process.argv.slice(2)).then(code => {
  process.exitCode = code
})

async function main(args: string[]): Promise<number> {
  // node:readline's own printing; whoever closed the pipe early has read enough.
  process.stdout.on('error', () => process.exit(Exit.ok))
  try {
    const text = await help(args)
    if (text !== undefined) {
      writeAll(1, Buffer.from(text))
      return Exit.ok
    }
    await commandLine(await prepared(args)).parseAsync()
    return Number(process.exitCode ?? Exit.ok)
  } catch (thrown) {
    if (thrown instanceof ReaderGone) return Exit.ok
    const error = yargsError(thrown) ? new UsageError(usageSentence(thrown.message, args)) : thrown
    process.stderr.write(`gocore-sink: ${sentenceOf(error)}\n`)
    if (args.includes('--debug') && error instanceof Error) process.stderr.write(`${stackOf(error)}\n`)
    return exitOf(error)
  }
}

/** What yargs found wrong before any verb ran; what `parse` of an option throws arrives as one, with our sentence. */
function yargsError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'YError'
}

/** The text that is asked for by no arguments, `help`, `help VERB`, `--help`, `VERB ... --help` or `--version`. */
async function help(args: string[]): Promise<string | undefined> {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (own.includes('--version')) return `${toolVersion}\n`
  const at = verbIndex(own)
  const isHelp = own[at] === 'help'
  const asked = own.length === 0 || isHelp || own.includes('--help') || own.includes('-h')
  if (!asked || (own.length === 0 && args.length > 0)) return undefined
  const { overview, verbHelp } = await import('./help.ts')
  const words = at < 0 ? [] : own.slice(isHelp ? at + 1 : at).filter(arg => !arg.startsWith('-'))
  const verb = words.map(verbNamed).find(found => found !== undefined)
  if (!verb && isHelp && words.length > 0) throw new UsageError(usageSentence('Unknown command', words))
  return verb ? verbHelp(verb, lookOf(process.stdout)) : overview(process.stdout)
}

function commandLine(args: string[]): ReturnType<typeof yargs> {
  const cli = yargs(args)
    .scriptName('gocore-sink')
    .locale('en')
    .parserConfiguration({
      'boolean-negation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      // What stands after it is another program's, and `run` takes it from there.
      'populate--': true,
    })
    .help(false)
    .version(false)
    .strict()
    .recommendCommands()
    .demandCommand(1)
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new UsageError(usageSentence(message, args))
    })
  for (const [name, option] of Object.entries(globalOptions)) cli.option(name, yargsOption(name, option))
  // To learn of all the verbs takes yargs as long as the rest of its work; the others are only needed to say what is near.
  const name = args[verbIndex(args)]
  const named = verbs.filter(verb => nameOf(verb) === name)
  for (const verb of named.length > 0 ? named : verbs)
    cli.command({
      command: verb.command,
      describe: verb.describe,
      builder: async inner => (await verb.load()).builder(inner),
      handler: async argv => (await verb.load()).handler(argv as never),
    })
  return cli
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${(error.stack ?? error.message).split('\n').map(printable).join('\n')}${cause}`
}
