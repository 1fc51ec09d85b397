/** The command line of scripts/fidelity. */
import { parseArgs } from 'node:util'
import { kinds, releases, valueKinds } from './toolchains.ts'

export interface Options {
  go: string[]
  kind: string[]
  programs: string[] | undefined
  keep: string | undefined
  jobs: number
  crashOnly: boolean
  reuse: boolean
  long: boolean
  dlv: boolean
  values: boolean
  /** As asked for: without, all that fit. */
  asked: { go: string[] | undefined; kind: string[] | undefined }
}

/** Programs of the slice that every run of the tests measures: one for each way to find and print a stack. */
const slice = [
  'panic-custom-error',
  'panic-repanicked',
  'error-value-method',
  'fatal-deadlock',
  'fatal-stack-overflow',
  'frame-generics',
  'frame-inline',
  'frame-arguments',
  'frame-go-statements',
  'wait-select',
  'run-busy-quit',
  'cgo-callback',
]

/** They wait for minutes before they ask for their signal. */
export const patientPrograms: readonly string[] = ['wait-minutes']

/** Take minutes or gigabytes: measured with --long only. */
export const longPrograms: readonly string[] = ['run-100000', ...patientPrograms]

export const help = `usage: scripts/fidelity [OPTION]...
  --go 1.24,1.26        Go versions (${Object.keys(releases).join(' ')})
  --kind full,pie       kinds of build (${Object.keys(kinds).join(' ')})
  --programs a,b        only these programs of test/programs
  --keep DIR            keep every core, executable and text under DIR/GO/KIND, not only those that miss
  --reuse DIR           crash nothing: compare what an earlier run kept under DIR
  --crash-only          crash and keep (needs --keep), compare nothing
  --long                also the programs that take minutes or gigabytes (${longPrograms.join(', ')})
  --dlv                 also count what dlv gets, for scale
  --jobs N              programs at a time (2)
  --values              compare values of expressions with dlv's (--go, --kind ${Object.keys(valueKinds).join(' ')}, --keep)
  --ci                  the slice that CI measures
`

export function parseOptions(argv: string[]): Options | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      go: { type: 'string' },
      kind: { type: 'string' },
      programs: { type: 'string' },
      keep: { type: 'string' },
      reuse: { type: 'string' },
      'crash-only': { type: 'boolean' },
      long: { type: 'boolean' },
      dlv: { type: 'boolean' },
      jobs: { type: 'string' },
      ci: { type: 'boolean' },
      values: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return undefined
  const ci = values.ci === true
  return {
    go: choose('Go version', values.go, Object.keys(releases), ci ? ['1.19', '1.26'] : Object.keys(releases)),
    kind: choose(
      'kind',
      values.kind,
      Object.keys(values.values ? valueKinds : kinds),
      ci ? ['full', 'pie-stripped'] : Object.keys(kinds),
    ),
    programs: values.programs?.split(',') ?? (ci ? slice : undefined),
    keep: values.keep ?? values.reuse,
    jobs: Number(values.jobs ?? 2),
    crashOnly: values['crash-only'] === true,
    reuse: values.reuse !== undefined,
    long: values.long === true,
    dlv: values.dlv === true,
    values: values.values === true,
    asked: { go: values.go?.split(','), kind: values.kind?.split(',') },
  }
}

function choose(what: string, given: string | undefined, known: string[], otherwise: string[]): string[] {
  if (given === undefined) return otherwise
  const chosen = given.split(',')
  const odd = chosen.find(name => !known.includes(name))
  if (odd !== undefined) throw new Error(`no ${what} ${odd}: there are ${known.join(', ')}`)
  return chosen
}
