/** `goroutines` and `threads` as Delve lists them. */
import { UsageError } from '../../../base/errors.ts'
import type { CodeLocation, GoroutineView } from '../../../engine/index.ts'
import { hex } from '../../render/value-json.ts'
import { type Answer, count, type DebugCommand, wordsOf } from '../command.ts'
import { runCommand } from '../run-command.ts'
import { clean, type DebugState } from '../state.ts'

type Where = 'userloc' | 'curloc' | 'goloc' | 'startloc'
const wheres: readonly string[] = ['userloc', 'curloc', 'goloc', 'startloc']
const titles: Readonly<Record<Where, string>> = {
  userloc: 'User',
  curloc: 'Runtime',
  goloc: 'Go',
  startloc: 'Start',
}

interface Options {
  readonly where: Where
  readonly depth: number | undefined
  readonly labels: boolean
  readonly tests: readonly ((view: GoroutineView) => boolean)[]
  readonly group: string | undefined
  readonly exec: string | undefined
}

const perGroup = 5
const defaultDepth = 10

export const goroutines: DebugCommand = {
  name: 'goroutines',
  aliases: ['grs'],
  usage:
    'goroutines [-u|-r|-g|-s] [-t [DEPTH]] [-l] [-with|-without WHAT [TEXT]] [-group WHAT] [-chan EXPRESSION] [-exec COMMAND]',
  describe: 'list the goroutines',
  details: [
    '-u -r -g -s   show the innermost frame outside of the runtime, the innermost, the go statement, or the function',
    '-t [DEPTH]    with their stacks            -l   with their labels',
    '-with userloc|curloc|goloc|startloc TEXT, -with label KEY[=VALUE], -with running|user; -without the same',
    '-group userloc|curloc|goloc|startloc|running|user, -group label KEY',
    '-chan EXPRESSION   those that wait on this channel',
    '-exec COMMAND      runs the command on each of them',
  ],
  run(state, rest) {
    const options = parse(state, wordsOf(rest))
    const chosen = function* (): Generator<GoroutineView> {
      for (const view of state.debugger.goroutines()) if (options.tests.every(test => test(view))) yield view
    }
    if (options.exec !== undefined) return executed(state, chosen(), options)
    return {
      lines: () =>
        options.group === undefined
          ? listLines(state, chosen(), options)
          : groupLines(state, chosen(), options),
      data: () => ({ goroutines: [...chosen()].map(viewJson) }),
    }
  },
}

function parse(state: DebugState, words: readonly string[]): Options {
  let options: Options = {
    where: 'userloc',
    depth: undefined,
    labels: false,
    tests: [],
    group: undefined,
    exec: undefined,
  }
  const flags: Readonly<Record<string, Where>> = {
    '-u': 'userloc',
    '-r': 'curloc',
    '-g': 'goloc',
    '-s': 'startloc',
  }
  for (let i = 0; i < words.length; ) {
    const word = words[i++]!
    const next = (): string => {
      const value = words[i++]
      if (value === undefined) throw new UsageError(`goroutines ${word} lacks its value.`)
      return value
    }
    const where = flags[word]
    if (where) options = { ...options, where }
    else if (word === '-t') {
      const depth = /^\d+$/.test(words[i] ?? '') ? count(words[i++]!, 'The depth') : defaultDepth
      options = { ...options, depth }
    } else if (word === '-l') options = { ...options, labels: true }
    else if (/^--?(?:with|w|without|wo)$/.test(word)) {
      const test = filterOf(next(), () => next())
      const wanted = !word.includes('o')
      options = { ...options, tests: [...options.tests, view => test(view) === wanted] }
    } else if (word === '-chan') {
      const waiters = state.debugger.waitersOn(state.evaluate(next()))
      options = { ...options, tests: [...options.tests, view => waiters.has(view.id)] }
    } else if (word === '-group') {
      const by = next()
      options = { ...options, group: by === 'label' ? `label ${next()}` : groupName(by) }
    } else if (word === '-exec') {
      options = { ...options, exec: words.slice(i).join(' ') || next() }
      i = words.length
    } else
      throw new UsageError(
        `goroutines does not know ${JSON.stringify(word)}; help goroutines tells what it takes.`,
      )
  }
  return options
}

function filterOf(what: string, next: () => string): (view: GoroutineView) => boolean {
  if (what === 'running') return ({ thread }) => thread !== undefined
  if (what === 'user') return ({ system }) => !system
  if (what === 'label') {
    const [key, value] = splitLabel(next())
    return ({ labels }) =>
      labels.some(([name, held]) => name === key && (value === undefined || held === value))
  }
  if (!wheres.includes(what))
    throw new UsageError(
      `-with takes ${wheres.join(', ')}, label, running or user, not ${JSON.stringify(what)}.`,
    )
  const text = next()
  return view => {
    const place = placeOf(view, what as Where)
    return place !== undefined && `${place.file}:${place.line} ${place.function}`.includes(text)
  }
}

function splitLabel(text: string): [key: string, value: string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function groupName(by: string): string {
  if ([...wheres, 'running', 'user'].includes(by)) return by
  throw new UsageError(
    `-group takes ${wheres.join(', ')}, running, user or label KEY, not ${JSON.stringify(by)}.`,
  )
}

function placeOf(view: GoroutineView, where: Where): CodeLocation | undefined {
  return {
    userloc: () => view.user,
    curloc: () => view.current,
    goloc: () => view.created,
    startloc: () => view.start,
  }[where]()
}

function* listLines(
  state: DebugState,
  views: Iterable<GoroutineView>,
  options: Options,
  indent = '',
): Generator<string> {
  let total = 0
  for (const view of views) {
    total++
    yield* viewLines(state, view, options, indent)
  }
  yield `[${total} goroutines]`
}

function* viewLines(
  state: DebugState,
  view: GoroutineView,
  options: Options,
  indent: string,
): Generator<string> {
  const { subject } = state.position
  const here = subject?.kind === 'goroutine' && subject.id === view.id ? '* ' : '  '
  const place = placeOf(view, options.where)
  const where = place
    ? `${clean(`${place.file}:${place.line} ${place.function}`)} (0x${place.pc.toString(16)})`
    : '?'
  const on = view.thread === undefined ? ` [${clean(view.state)}]` : ` (thread ${view.thread})`
  yield `${indent}${here}Goroutine ${view.id} - ${titles[options.where]}: ${where}${on}`
  if (options.labels && view.labels.length > 0)
    yield `${indent}\tLabels: ${clean(view.labels.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(', '))}`
  if (options.depth === undefined) return
  const frames = view.frames.slice(0, options.depth)
  const width = String(Math.max(0, frames.length - 1)).length
  for (const [index, { pc, function: name, file, line }] of frames.entries()) {
    yield `${indent}\t${String(index).padStart(width)}  0x${pc.toString(16).padStart(16, '0')} in ${clean(name)}`
    yield `${indent}\t${' '.repeat(width)}  at ${clean(file)}:${line}`
  }
  if (view.frames.length > frames.length) yield `${indent}\t(truncated)`
}

function* groupLines(state: DebugState, views: Iterable<GoroutineView>, options: Options): Generator<string> {
  const groups = new Map<string, { first: GoroutineView[]; total: number }>()
  let total = 0
  for (const view of views) {
    const key = groupKey(view, options.group!)
    const group = groups.get(key) ?? { first: [], total: 0 }
    group.total++
    if (group.first.length < perGroup) group.first.push(view)
    groups.set(key, group)
    total++
  }
  for (const [key, group] of [...groups].sort(([, a], [, b]) => b.total - a.total)) {
    yield clean(key)
    for (const view of group.first) yield* viewLines(state, view, options, '\t')
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

/** Runs a command on each; the position stays. */
async function executed(
  state: DebugState,
  views: Iterable<GoroutineView>,
  options: Options,
): Promise<Answer> {
  const before = state.position
  const lines: string[] = []
  try {
    for (const view of views) {
      lines.push(...viewLines(state, view, options, ''))
      state.position = state.placeOf({ kind: 'goroutine', id: view.id })
      const answer = await runCommand(state, options.exec!)
      for (const line of answer.lines()) lines.push(`\t${line}`)
    }
  } finally {
    state.position = before
  }
  return { lines: () => lines }
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

export const threads: DebugCommand = {
  name: 'threads',
  usage: 'threads',
  describe: "list the kernel's threads",
  run(state) {
    const rows = state.debugger.process.image.core.threads.map(({ tid, registers }) => {
      const [frame] = state.debugger.stack({ kind: 'thread', tid }).frames
      return { tid, pc: registers.pc, function: frame?.function, file: frame?.file, line: frame?.line }
    })
    rows.sort((a, b) => a.tid - b.tid)
    return {
      lines: () =>
        rows.map(({ tid, pc, function: name = '??', file = '', line = 0 }) => {
          const where = file === '' ? '' : `${file}:${line} `
          return `${tid === state.thread ? '* ' : '  '}Thread ${tid} at 0x${pc.toString(16)} ${clean(where + name)}`
        }),
      data: () => ({ threads: rows.map(row => ({ ...row, pc: hex(row.pc) })) }),
    }
  },
}
