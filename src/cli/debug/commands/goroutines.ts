/** `goroutines` as Delve lists them. */
import { SinkError } from '../../../base/errors.ts'
import type { CodeLocation, GoroutineView } from '../../../engine/index.ts'
import { hex } from '../../render/value-json.ts'
import { type Answer, type DebugCommand, wordsOf } from '../command.ts'
import { chosen, type GoroutineQuery, parseQuery, placeOf, type Where } from '../goroutine-query.ts'
import { parseLine, runCommand } from '../run-command.ts'
import { clean, type DebugState } from '../state.ts'
import { codePlace } from './stack.ts'

const titles: Readonly<Record<Where, string>> = {
  userloc: 'User',
  curloc: 'Runtime',
  goloc: 'Go',
  startloc: 'Start',
}

const perGroup = 5

export const goroutines: DebugCommand = {
  name: 'goroutines',
  aliases: ['grs'],
  usage: 'goroutines [-u|-r|-g|-s] [-t [DEPTH]] [-l] [FILTER ...] [-group WHAT] [-limit N] [-exec COMMAND]',
  describe: 'list the goroutines',
  details: [
    '-u -r   by the innermost frame outside of the runtime, or the innermost',
    '-g -s   by the go statement, or the function that was started',
    '-t [DEPTH]    with their stacks            -l   with their labels',
    '-with userloc|curloc|goloc|startloc TEXT   that place holds the text, in its function or file:line',
    '-with TEXT         any of its frames holds the text',
    '-with label KEY[=VALUE], -with running, -with user; -without the same',
    '-group userloc|curloc|goloc|startloc|running|user, -group label KEY',
    '-chan EXPRESSION   those that wait on this channel',
    '-exec COMMAND      runs the command on each of them',
  ],
  schema: 'gocore-goroutine-list',
  run: (state, rest) => goroutinesAnswer(state, parseQuery(state, wordsOf(rest))),
}

/** Those that the query chooses, as it wants them shown. */
export function goroutinesAnswer(state: DebugState, query: GoroutineQuery): Answer | Promise<Answer> {
  if (query.exec !== undefined) return executed(state, query, query.exec)
  const { group } = query
  return {
    lines: () =>
      group === undefined
        ? listLines(state, chosen(state, query), query)
        : groupLines(state, chosen(state, query), query, group),
    data: () => ({ goroutines: [...chosen(state, query)].map(viewJson) }),
  }
}

function* listLines(
  state: DebugState,
  views: Iterable<GoroutineView>,
  query: GoroutineQuery,
  indent = '',
): Generator<string> {
  let total = 0
  for (const view of views) {
    total++
    yield* viewLines(state, view, query, indent)
  }
  yield `[${total} goroutines]`
}

function* viewLines(
  state: DebugState,
  view: GoroutineView,
  query: GoroutineQuery,
  indent: string,
): Generator<string> {
  const { subject } = state.position
  const here = subject?.kind === 'goroutine' && subject.id === view.id ? '* ' : '  '
  const place = placeOf(view, query.where)
  const where = place ? placed(place).where : '?'
  const on = view.thread === undefined ? ` [${clean(view.state)}]` : ` (thread ${view.thread})`
  yield `${indent}${here}Goroutine ${view.id} - ${titles[query.where]}: ${where}${on}`
  if (query.labels && view.labels.length > 0)
    yield `${indent}\tLabels: ${clean(view.labels.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(', '))}`
  if (query.depth === undefined) return
  const frames = view.frames.slice(0, query.depth)
  const width = String(Math.max(0, frames.length - 1)).length
  const under = `${indent}\t${' '.repeat(width)}  at `
  for (let index = 0; index < frames.length; index++) {
    const { code, at } = placed(frames[index]!)
    yield `${indent}\t${String(index).padStart(width)}  ${code}`
    yield under + at
  }
  if (view.frames.length > frames.length) yield `${indent}\t(truncated)`
}

/** What is said of a place in the code: the same on all stacks that pass through it. */
interface Placed {
  /** `0x000000000047a744 in main.second`. */
  readonly code: string
  readonly at: string
  /** Both in one line. */
  readonly where: string
}

const placedBySite = new WeakMap<object, Placed>()

function placed(place: CodeLocation & { readonly site?: object }): Placed {
  const known = place.site && placedBySite.get(place.site)
  if (known) return known
  const { pc, function: name, file, line } = place
  const made = {
    code: codePlace(place),
    at: `${clean(file)}:${line}`,
    where: `${clean(`${file}:${line} ${name}`)} (0x${pc.toString(16)})`,
  }
  if (place.site) placedBySite.set(place.site, made)
  return made
}

function* groupLines(
  state: DebugState,
  views: Iterable<GoroutineView>,
  query: GoroutineQuery,
  by: string,
): Generator<string> {
  const groups = new Map<string, { first: GoroutineView[]; total: number }>()
  let total = 0
  for (const view of views) {
    const key = groupKey(view, by)
    const group = groups.get(key) ?? { first: [], total: 0 }
    group.total++
    if (group.first.length < perGroup) group.first.push(view)
    groups.set(key, group)
    total++
  }
  for (const [key, group] of [...groups].sort(([, a], [, b]) => b.total - a.total)) {
    yield clean(key)
    for (const view of group.first) yield* viewLines(state, view, query, '\t')
    if (group.total > group.first.length) yield '\t...'
    yield `\tTotal: ${group.total}`
  }
  yield `[${total} goroutines]`
}

function groupKey(view: GoroutineView, by: string): string {
  if (by === 'running') return view.thread === undefined ? 'not running' : 'running'
  if (by === 'user') return view.system ? 'the runtime’s own' : 'user'
  if (by.startsWith('label ')) {
    const key = by.slice(6)
    const value = view.labels.find(([name]) => name === key)?.[1]
    return value === undefined ? `no label ${key}` : `${key}=${value}`
  }
  const place = placeOf(view, by as Where)
  return place ? `${place.file}:${place.line} ${place.function}` : '?'
}

/** Runs a command on each; the position stays. What fails on one says so, and the next has its turn. */
async function executed(state: DebugState, query: GoroutineQuery, command: string): Promise<Answer> {
  const before = state.position
  // What is no command is none on any of them.
  parseLine(state, command)
  const lines: string[] = []
  const data: Record<string, unknown>[] = []
  try {
    for (const view of chosen(state, query)) {
      lines.push(...viewLines(state, view, query, ''))
      state.position = state.placeOf({ kind: 'goroutine', id: view.id })
      try {
        const answer = await runCommand(state, command)
        for (const line of state.guard(() => [...answer.lines()])) lines.push(`\t${line}`)
        data.push({ goroutine: view.id, ...state.guard(() => answer.data?.()) })
      } catch (error) {
        if (!(error instanceof SinkError)) throw error
        lines.push(`\t(${clean(error.message)})`)
        data.push({ goroutine: view.id, error: error.message })
      }
    }
  } finally {
    state.position = before
  }
  return { lines: () => lines, schema: 'gocore-answers', data: () => ({ command, answers: data }) }
}

function viewJson(view: GoroutineView): Record<string, unknown> {
  const place = (of: CodeLocation | undefined): Record<string, unknown> | undefined =>
    of && { function: of.function, file: of.file, line: of.line, pc: hex(of.pc) }
  const { id, state, thread, system, labels } = view
  return {
    id,
    state,
    thread,
    system,
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels) } : {}),
    current: place(view.current),
    user: place(view.user),
    created: place(view.created),
    start: place(view.start),
  }
}
