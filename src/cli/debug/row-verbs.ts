/** Verbs of the command line that are a row of the debugger's table: what such rows have in common. */
import type { Builder, Spec } from '../define.ts'
import { define } from '../define.ts'
import { type DumpAndWord, dumpOrWord, neither, targeted } from '../dump-or-word.ts'
import { dumpPositional } from '../options.ts'
import { Exit } from '../render/exit.ts'
import { entry } from '../verbs.ts'
import type { Answer, DebugCommand } from './command.ts'
import {
  answerVerb,
  binaryOptions,
  dumpAndWords,
  jsonOption,
  limitOptions,
  lookOptions,
  type VerbArgs,
} from './verb.ts'

interface RowVerb<Args> {
  readonly command: string
  readonly describe: string
  readonly builder: Builder
  handler(argv: Args): Promise<void>
}

type Examples = NonNullable<Spec['examples']>

function found(answer: Answer, { word, lone }: DumpAndWord, what: string): Answer {
  if (word === undefined || !answer.empty?.()) return answer
  if (lone) throw neither(word, what)
  process.exitCode = Exit.notFound
  return answer
}

interface VariablesArgs extends VerbArgs {
  regex?: string
  verbose?: boolean
}

/** `locals`, `args`, `vars`: variables, those whose names match. */
export function variablesVerb(row: DebugCommand, examples: Examples): RowVerb<VariablesArgs> {
  return {
    ...entry(row.name),
    builder: define({
      positionals: {
        dump: dumpPositional,
        regex: { describe: 'those whose names match this regular expression' },
      },
      options: {
        ...lookOptions,
        verbose: { type: 'boolean', alias: 'v', describe: 'values as print shows them, not in short' },
        ...limitOptions,
        ...jsonOption,
      },
      examples,
    }),
    async handler(argv) {
      const asked = await dumpOrWord(argv, argv.dump, argv.regex)
      const rest = `${argv.verbose ? '-v ' : ''}${asked.word ?? ''}`
      await answerVerb(targeted(argv, asked.dump), 'gocore-variables', async state =>
        found(await row.run(state, rest), asked, 'variable'),
      )
    },
  }
}

interface NamesArgs extends VerbArgs {
  regex?: string
}

/** `types`, `funcs`: names, those that match. */
export function namesVerb(row: DebugCommand, examples: Examples): RowVerb<NamesArgs> {
  return {
    ...entry(row.name),
    builder: define({
      positionals: {
        dump: dumpPositional,
        regex: { describe: 'those that match this regular expression' },
      },
      options: { ...binaryOptions, ...jsonOption },
      examples,
    }),
    async handler(argv) {
      const asked = await dumpOrWord(argv, argv.dump, argv.regex)
      await answerVerb(targeted(argv, asked.dump), 'gocore-names', async state =>
        found(await row.run(state, asked.word ?? ''), asked, row.name.replace(/s$/, '')),
      )
    },
  }
}

interface ExpressionArgs extends VerbArgs {
  dump: string
  expression?: string[]
  /** Of print alone. */
  format?: string
}

interface ExpressionVerb {
  readonly describe: string
  readonly options: NonNullable<Spec['options']>
  readonly schema: string
  readonly examples: Examples
}

/** `print`, `whatis`: of an expression, which stands alone where the dump is left out. */
export function expressionVerb(row: DebugCommand, verb: ExpressionVerb): RowVerb<ExpressionArgs> {
  const { describe, options, schema, examples } = verb
  return {
    ...entry(row.name),
    builder: define({
      positionals: {
        dump: {
          ...dumpPositional,
          describe: `${dumpPositional.describe}, and the expression alone stands here`,
        },
        expression: { describe, several: true },
      },
      options: { ...lookOptions, ...options, ...jsonOption },
      examples,
    }),
    async handler(argv) {
      const [dump, expression] = dumpAndWords(row.name, argv.dump, argv.expression)
      const { dump: _, ...rest } = argv
      const format = argv.format === undefined ? '' : `${argv.format.replace(/^[/%]*/, '/')} `
      await answerVerb(dump === undefined ? rest : { ...rest, dump }, schema, state =>
        row.run(state, format + expression),
      )
    },
  }
}
