/** Which goroutines `goroutines` lists, and how: Delve's words for it, on the command line and in the debugger. */
import { UsageError } from '../../base/errors.ts'
import type { CodeLocation, GoroutineView } from '../../engine/index.ts'
import { mentions } from '../goroutine-filter.ts'
import { count } from './command.ts'
import type { DebugState } from './state.ts'

/** Delve's names for the four places of a goroutine. */
export type Where = 'userloc' | 'curloc' | 'goloc' | 'startloc'
export const wheres: readonly string[] = ['userloc', 'curloc', 'goloc', 'startloc']

export type GoroutineTest = (view: GoroutineView) => boolean

export interface GoroutineQuery {
  readonly where: Where
  /** Frames of each that are printed, where any are. */
  readonly depth?: number
  readonly labels: boolean
  readonly tests: readonly GoroutineTest[]
  /** As -group takes it: `userloc`, `label KEY`. */
  readonly group?: string
  /** Command that is run on each. */
  readonly exec?: string
  readonly limit: number
}

export const everyGoroutine: GoroutineQuery = {
  where: 'userloc',
  labels: false,
  tests: [],
  limit: Number.POSITIVE_INFINITY,
}

export const defaultDepth = 10
const flags: Readonly<Record<string, Where>> = {
  '-u': 'userloc',
  '-r': 'curloc',
  '-g': 'goloc',
  '-s': 'startloc',
}

/** Throws UsageError for words that goroutines does not take, and what the expression of -chan throws. */
export function parseQuery(state: DebugState, words: readonly string[]): GoroutineQuery {
  let query = everyGoroutine
  const narrowed = (test: GoroutineTest): GoroutineQuery => ({ ...query, tests: [...query.tests, test] })
  for (let i = 0; i < words.length; ) {
    const word = words[i++]!
    const next = (): string => {
      const value = words[i++]
      if (value === undefined) throw new UsageError(`goroutines ${word} lacks its value.`)
      return value
    }
    const where = flags[word]
    if (where) query = { ...query, where }
    else if (word === '-t') {
      const depth = /^\d+$/.test(words[i] ?? '') ? count(words[i++]!, 'The depth') : defaultDepth
      query = { ...query, depth }
    } else if (word === '-l') query = { ...query, labels: true }
    else if (isFilter(word)) {
      const test = filterOf(filterText(next, words[i + 1]))
      query = narrowed(view => test(view) === isWith(word))
    } else if (word === '-chan') query = narrowed(channelTest(state, next()))
    else if (word === '-group') query = { ...query, group: parseGroup(groupText(next)) }
    else if (word === '-limit') query = { ...query, limit: count(next(), '-limit') }
    else if (word === '-exec') {
      query = { ...query, exec: words.slice(i).join(' ') || next() }
      i = words.length
    } else
      throw new UsageError(
        `goroutines does not know ${JSON.stringify(word)}; help goroutines tells what it takes.`,
      )
  }
  return query
}

export const isFilter = (word: string): boolean => /^--?(?:with|w|without|wo)$/.test(word)
export const isWith = (word: string): boolean => !word.includes('o')

/** `userloc TEXT`, `label KEY=VALUE`, `running`, or a text alone: the words of one filter as one. */
export function filterText(next: () => string, following?: string): string {
  const what = next()
  const takesText = [...wheres, 'label'].includes(what) && following !== undefined
  return takesText ? `${what} ${next()}` : what
}

export function groupText(next: () => string): string {
  const by = next()
  return by === 'label' ? `label ${next()}` : by
}

/** What filterText() gives as a question; a text alone is looked for in every frame. Throws UsageError. */
export function filterOf(filter: string): GoroutineTest {
  if (filter === 'running') return ({ thread }) => thread !== undefined
  if (filter === 'user') return ({ system }) => !system
  const [, what, text] = /^(userloc|curloc|goloc|startloc|label)(?:\s+(.*))?$/s.exec(filter) ?? []
  if (what === undefined) return view => mentions({ frames: view.frames, createdBy: view.created }, filter)
  if (text === undefined || text === '') throw new UsageError(`-with ${what} lacks its text.`)
  if (what === 'label') {
    const [key, value] = splitLabel(text)
    return ({ labels }) =>
      labels.some(([name, held]) => name === key && (value === undefined || held === value))
  }
  return view => {
    const place = placeOf(view, what as Where)
    return place !== undefined && `${place.file}:${place.line} ${place.function}`.includes(text)
  }
}

/** Whether a filter asks for more than a text in some frame, which only a view of the goroutine knows. */
export const needsView = (filter: string): boolean =>
  /^(?:running|user|(?:userloc|curloc|goloc|startloc|label)(?:\s|$))/.test(filter)

export function channelTest(state: DebugState, expression: string): GoroutineTest {
  const waiters = state.debugger.waitersOn(state.evaluate(expression))
  return view => waiters.has(view.id)
}

function splitLabel(text: string): [key: string, value: string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** Throws UsageError. */
export function parseGroup(by: string): string {
  if ([...wheres, 'running', 'user'].includes(by) || /^label ./.test(by)) return by
  throw new UsageError(
    `-group takes ${wheres.join(', ')}, running, user or label KEY, not ${JSON.stringify(by)}.`,
  )
}

export function placeOf(view: GoroutineView, where: Where): CodeLocation | undefined {
  switch (where) {
    case 'userloc':
      return view.user
    case 'curloc':
      return view.current
    case 'goloc':
      return view.created
    case 'startloc':
      return view.start
  }
}

/** Those that pass, in the runtime's order. */
export function* chosen(state: DebugState, { tests, limit }: GoroutineQuery): Generator<GoroutineView> {
  let left = limit
  if (left <= 0) return
  for (const view of state.debugger.goroutines())
    if (tests.every(test => test(view))) {
      yield view
      if (--left === 0) return
    }
}
