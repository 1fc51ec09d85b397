/** What both debuggers are asked, program by program. Elements of truth.Probes are the values that a program tells of. */
import type { Question } from './values-delve.ts'

/** How many probes a program has. */
const probes: Readonly<Record<string, number>> = {
  'values-maps': 39,
  'values-kinds': 41,
  'values-chans': 12,
  'values-library': 65,
}

const more: Readonly<Record<string, readonly string[]>> = {
  'values-maps': [
    'len(truth.Probes)',
    'truth.Probes',
    'truth.Probes[3]',
    'truth.Probes[3:5]',
    '&truth.Probes[3]',
  ],
  'values-kinds': ['truth.Probes[38].Name', 'len(truth.Probes[38].Name)', 'truth.Probes[0].Name[0]'],
  'values-chans': ['truth.Probes[3].Value.(data)', 'len(truth.Probes)', 'cap(truth.Probes)'],
  'values-library': ['truth.Probes[0].Value.(data)', 'truth.Probes[11].Value.(data)'],
}

const globals = [
  'global',
  'day',
  'modes',
  'timeout',
  'month',
  'failure',
  'adder',
  'method',
  'table',
  'shapes',
  'deep',
  'matrix',
  'text',
  'list',
  'structs',
  'pointers',
  'any1',
  'link',
  'anonymous',
  'channel',
  'done',
  'keep',
].map(name => `main.${name}`)

const parts = [
  'main.global["a"]',
  'main.global["a"][1]',
  'main.list[10:20]',
  'main.text[0:10]',
  'main.text[3]',
  'main.structs[1].Side',
  'main.pointers[0].Side',
  '*main.pointers[2]',
  'main.link.Next.Next',
  '*main.link',
  '**&main.link',
  'main.anonymous.B.C',
  'main.shapes[1].(data)',
  'main.shapes[1].(*main.square)',
  'main.matrix[0]',
  'main.matrix[1][1]',
  'main.any1.(data)["k"]',
  'main.channel.qcount',
  'len(main.channel)',
  'cap(main.channel)',
  'len(main.text)',
  'main.day + 1',
  'main.day == 2',
  'main.month == time.March',
  'int(main.timeout) / 1000',
  'uint8(main.day)',
  'float64(main.list[3])',
  '&main.text',
  'main.deep["x"]["y"]["z"]',
  'main.deep["x"]',
  'main.modes[2] & 1',
  '-5 % 3',
  '1 << 10',
  '"a" + "b"',
  'main.failure.(data)',
  'runtime.g0',
  'runtime.m0.id',
  'runtime.m0',
  'runtime.sched',
  'runtime.allgs[0]',
  '*runtime.allgs[0]',
  'runtime.allgs[0].sched',
  'runtime.allm.curg',
  'runtime.allp[0].runq[0:3]',
  'runtime.firstmoduledata',
  'runtime.memstats',
  'runtime.waitReasonStrings',
  'os.Args',
  'os.Stdout',
  'io.EOF',
  'errors.errorType',
  'syscall.envs',
  'fmt.ppFree',
  'sync.allPools',
]

const locals: readonly (readonly [string, readonly string[]])[] = [
  [
    'main.fail',
    ['count', 'items', 'last', 'local', 'closure', 'err', 'items.(data)', 'local["count"]', 'count + 1'],
  ],
  [
    'main.main',
    ['first', 'name', 'numbers', 'escaped', 'i', 'number', 's', 's.items', 's.limit', 'len(numbers)'],
  ],
]

export function questionsOf(program: string): Question[] {
  const expressions =
    program === 'values-locals'
      ? [...globals, ...parts]
      : [...Array(probes[program] ?? 0).keys()]
          .map(i => `truth.Probes[${i}].Value`)
          .concat(more[program] ?? [])
  const both = expressions.flatMap(expression => [
    { expression, short: false },
    { expression, short: true },
  ])
  if (program !== 'values-locals') return both
  // dlv displays expressions of frame 0 only: those of other frames are printed.
  const inFrames = locals.flatMap(([frame, names]) =>
    names.map(expression => ({ expression, short: false, frame })),
  )
  return [...both, ...inFrames]
}

export const valuePrograms = ['values-locals', ...Object.keys(probes)]
