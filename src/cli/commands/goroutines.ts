/** `goroutines`: what every goroutine was doing, grouped by equal stacks, listed, or stack by stack. */
import { existsSync } from 'node:fs'
import { NotFoundError } from '../../base/errors.ts'
import type { GoroutineView } from '../../engine/index.ts'
import type { Goroutine, GoroutineGroup } from '../../engine/report/report.ts'
import {
  channelTest,
  defaultDepth,
  filterOf,
  filterText,
  type GoroutineTest,
  groupText,
  isFilter,
  isWith,
  needsView,
  parseGroup,
} from '../debug/goroutine-query.ts'
import type { DebugState } from '../debug/state.ts'
import { define, wholeNumber } from '../define.ts'
import { type GoroutineFilter, goroutineFilter } from '../goroutine-filter.ts'
import { groupGoroutines } from '../group.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { type GoroutineRow, goroutineRow, goroutineTable } from '../render/goroutine-table.ts'
import { groupTable } from '../render/groups.ts'
import { writeLines } from '../render/output.ts'
import { ownCode } from '../render/own-code.ts'
import { type PageOptions, page } from '../render/pager.ts'
import { type Look, lookOf, palette } from '../render/style.ts'
import { count } from '../render/text.ts'
import type { TracebackOptions } from '../render/traceback.ts'
import { TracebackTexts } from '../render/tracebacks.ts'
import type { Target } from '../target.ts'
import { entry } from '../verbs.ts'
import { tracebacks } from './bt.ts'

export const { command, describe } = entry('goroutines')

const group = 'Which goroutines'
const places = 'One by one, as Delve lists them, by'

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...binaryOptions,
    list: { type: 'boolean', alias: 'l', describe: 'one by one instead of grouped, with their labels' },
    traceback: {
      type: 'boolean',
      alias: 't',
      describe: "whole stacks, in the runtime's own format; -t N as Delve has them, N frames of each",
    },
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'with -t: stack pointer and program counter of each frame',
    },
    state: {
      type: 'string',
      value: 'TEXT',
      describe: 'state holds this text: "chan receive", running',
      group,
    },
    with: {
      type: 'string',
      value: 'TEXT|WHAT',
      several: true,
      describe:
        'a frame holds this text, in its function or file:line; or, as Delve has it: userloc, curloc, goloc or startloc TEXT, label KEY[=VALUE], running, user',
      group,
    },
    without: {
      type: 'string',
      value: 'TEXT|WHAT',
      several: true,
      describe: 'those of which that does not hold',
      group,
    },
    label: {
      type: 'string',
      value: 'KEY[=VALUE]',
      several: true,
      describe: 'has this profiler label',
      group,
    },
    longer: {
      type: 'string',
      value: 'TIME',
      describe: 'has waited at least so long: 5m, 1h',
      group,
      parse: text => text,
    },
    chan: {
      type: 'string',
      value: 'EXPRESSION',
      describe: 'waits to send to this channel or to receive from it, see gocore-expr(7)',
      group,
    },
    user: {
      type: 'boolean',
      alias: 'u',
      describe: 'the innermost frame outside of the runtime',
      group: places,
    },
    runtime: { type: 'boolean', alias: 'r', describe: 'the innermost frame', group: places },
    go: { type: 'boolean', alias: 'g', describe: 'the go statement', group: places },
    start: { type: 'boolean', alias: 's', describe: 'the function that was started', group: places },
    group: {
      type: 'string',
      value: 'WHAT',
      describe: 'together by userloc, curloc, goloc, startloc, running, user, or label KEY',
      group: places,
    },
    depth: {
      type: 'string',
      value: 'N',
      describe: 'with so many frames of each, as -t N',
      parse: wholeNumber,
      group: places,
    },
    exec: {
      type: 'string',
      value: 'COMMAND',
      describe: 'run this command of the debugger on each',
      group: places,
    },
    ...Object.fromEntries(
      Object.entries(placeOptions).map(([name, { alias: _, ...option }]) => [
        name,
        { ...option, group: 'Where --chan is looked from' },
      ]),
    ),
    system: { type: 'boolean', describe: "the runtime's own goroutines and frames too", group },
    limit: { type: 'string', alias: 'n', value: 'N', describe: 'at most so many', parse: wholeNumber, group },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink goroutines', 'of the latest crash, by equal stacks'],
    ['gocore-sink goroutines -l --state "chan receive" --longer 5m', 'who has waited on a channel for long'],
    ['gocore-sink goroutines -t --with net/http 7f3k', 'whole stacks that pass through net/http'],
    [
      'gocore-sink goroutines -s -with userloc main.go 7f3k',
      'what was started, of those that are in main.go',
    ],
    ['gocore-sink goroutines -group goloc', 'how many each go statement has started'],
    ['gocore-sink goroutines ./core --json', 'all of them, streamed, for programs'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions, GoroutineFilter, PlaceArgs {
  chan?: string
  list?: boolean
  traceback?: boolean
  limit?: number
  user?: boolean
  runtime?: boolean
  go?: boolean
  start?: boolean
  group?: string
  depth?: number
  exec?: string
}

/** Delve's options of several words as one: `-with userloc main.go`, `-group label KEY`, `-t 5`, `-exec COMMAND`. */
export function prepare(args: readonly string[]): string[] {
  const words: string[] = []
  for (let i = 0; i < args.length; ) {
    const word = args[i++]!
    const next = (): string => args[i++] ?? ''
    if (isFilter(word) && i < args.length)
      words.push(`--${isWith(word) ? 'with' : 'without'}=${filterText(next, args[i + 1])}`)
    else if (/^--?group$/.test(word) && i < args.length) words.push(`--group=${groupText(next)}`)
    else if (word === '-t' && isDepth(args[i])) words.push(`--depth=${next()}`)
    else if (/^--?exec$/.test(word)) {
      const command: string[] = []
      while (i < args.length && !/^--(?:[a-z]|$)/.test(args[i]!)) command.push(next())
      words.push(`--exec=${command.join(' ')}`)
    } else words.push(word)
  }
  return words
}

/** A number of frames, and no dump. */
const isDepth = (word: string | undefined): boolean =>
  word !== undefined && /^\d{1,3}$/.test(word) && !existsSync(word)

export async function handler(argv: Args): Promise<void> {
  if (isDelves(argv)) return asDelve(argv)
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const viewed = await chosenByView(target, argv)
  const filter = goroutineFilter(plain(argv))
  const matches = (g: Goroutine): boolean => (viewed?.has(g.id) ?? true) && filter(g)
  if (argv.json) {
    const { goroutinesJson } = await import('../report-json.ts')
    const outline = await target.outline()
    return writeLines(1, goroutinesJson(outline, limited(await target.goroutines(), matches, argv.limit)))
  }
  const views = isFast(argv) ? await target.views() : undefined
  const matched = views ? await allTexts(views, argv) : await inForm(target, argv, matches)
  if (matched === 0) throw new NotFoundError(`No goroutine of ${target.label} matches.`)
}

const isDelves = ({ user, runtime, go, start, group, depth, exec }: Args): boolean =>
  [user, runtime, go, start].includes(true) || [group, depth, exec].some(given => given !== undefined)

/** The debugger's own list. Filters that only reports answer are asked of them. */
async function asDelve(argv: Args): Promise<void> {
  const { answerVerb } = await import('../debug/verb.ts')
  const { goroutinesAnswer } = await import('../debug/commands/goroutines.ts')
  const { state, longer } = argv
  let ids: ReadonlySet<number> | undefined
  if (state !== undefined || longer !== undefined) {
    const { openTarget } = await import('../target.ts')
    using target = await openTarget(argv)
    const asked = {
      ...(state === undefined ? {} : { state }),
      ...(longer === undefined ? {} : { longer }),
    }
    const matches = goroutineFilter(asked)
    const found: number[] = []
    for (const goroutine of await target.goroutines()) if (matches(goroutine)) found.push(goroutine.id)
    ids = new Set(found)
  }
  const { depth, group, exec } = argv
  await answerVerb(withoutDepth(argv), 'gocore-goroutine-list', debug =>
    goroutinesAnswer(debug, {
      where: argv.runtime ? 'curloc' : argv.go ? 'goloc' : argv.start ? 'startloc' : 'userloc',
      labels: argv.list === true,
      limit: argv.limit ?? Number.POSITIVE_INFINITY,
      tests: [...viewTests(debug, argv, true), ...(ids ? [(view: GoroutineView) => ids.has(view.id)] : [])],
      ...(depth === undefined ? (argv.traceback ? { depth: defaultDepth } : {}) : { depth }),
      ...(group === undefined ? {} : { group: parseGroup(group.replace(/^label:/, 'label ')) }),
      ...(exec === undefined ? {} : { exec }),
    }),
  )
}

/** --depth is of the stacks here, not of values. */
function withoutDepth({ depth: _, ...rest }: Args): Omit<Args, 'depth'> {
  return rest
}

/** Delve's filters; `all`: those too that a report answers. */
function viewTests(state: DebugState, argv: Args, all: boolean): GoroutineTest[] {
  const filters = (list: readonly string[] | undefined): GoroutineTest[] =>
    (list ?? []).filter(text => all || needsView(text)).map(filterOf)
  return [
    ...filters(argv.with),
    ...filters(argv.without).map(test => (view: GoroutineView) => !test(view)),
    ...(all ? filters((argv.label ?? []).map(label => `label ${label}`)) : []),
    ...(argv.chan === undefined ? [] : [channelTest(state, argv.chan)]),
  ]
}

/** Numbers of those that pass the filters that a report cannot answer; undefined where there are none such. */
async function chosenByView(target: Target, argv: Args): Promise<ReadonlySet<number> | undefined> {
  const named = [...(argv.with ?? []), ...(argv.without ?? [])].some(needsView)
  if (!named && argv.chan === undefined) return undefined
  const { openState } = await import('../debug/open.ts')
  const state = await openState(target, { place: argv })
  const tests = viewTests(state, argv, false)
  const ids = new Set<number>()
  for (const view of state.debugger.goroutines()) if (tests.every(test => test(view))) ids.add(view.id)
  return ids
}

/** The filters that a report answers. */
function plain({ with: some, without, ...rest }: Args): GoroutineFilter {
  const texts = (list: readonly string[] = []): string[] => list.filter(text => !needsView(text))
  return { ...rest, with: texts(some), without: texts(without) }
}

/** Whole stacks without a filter: of a hundred thousand goroutines nothing is made but their text. */
const isFast = (argv: Args): boolean => argv.traceback === true && !argv.addresses && !isFiltered(argv)

async function allTexts(views: Iterable<GoroutineView>, argv: Args): Promise<number> {
  const texts = new TracebackTexts({ system: argv.system === true })
  let left = argv.limit ?? Number.POSITIVE_INFINITY
  let printed = 0
  const all = function* (): Generator<string> {
    for (const view of views) {
      if (left <= 0) return
      if (view.system && !argv.system) continue
      const text = texts.of(view)
      yield printed === 0 ? text : `\n${text}`
      printed++
      left--
    }
  }
  await page(all(), { pager: !argv.noPager })
  return printed
}

/** Prints those that match as a table of groups, a list, or tracebacks; answers how many they were. */
async function inForm(
  target: Target,
  argv: Args,
  matches: (goroutine: Goroutine) => boolean,
): Promise<number> {
  const own = ownCode(await target.facts())
  const look = lookOf(process.stdout)
  const pager = { pager: !argv.noPager }
  if (!argv.list && !argv.traceback && argv.limit === undefined && !isFiltered(argv)) {
    // The report has them grouped already.
    const { groups } = await target.outline()
    return printGroups(argv.system ? groups : groups.filter(group => !group.system), own, look, pager)
  }
  let matched = 0
  // The runtime's own are hidden from people unless asked for; for programs they are marked.
  const all = argv.system || [...(argv.with ?? []), ...(argv.without ?? [])].includes('user')
  const chosen = limited(await target.goroutines(), g => (all || !g.system) && matches(g), argv.limit)
  const counted = (function* () {
    for (const goroutine of chosen) {
      matched++
      yield goroutine
    }
  })()
  if (argv.traceback) await page(tracebacks(counted, argv), pager)
  else if (!argv.list) return printGroups(groupGoroutines(counted), own, look, pager)
  else {
    const rows: GoroutineRow[] = []
    for (const goroutine of counted) rows.push(goroutineRow(fromDump(goroutine), own))
    await page(goroutineTable(rows, look), pager)
  }
  return matched
}

async function printGroups(
  groups: readonly GoroutineGroup[],
  own: (symbol: string) => boolean,
  look: Look,
  pager: PageOptions,
): Promise<number> {
  const total = groups.reduce((sum, group) => sum + group.count, 0)
  if (total === 0) return 0
  const heading = `${count(total, 'goroutine')}, ${count(groups.length, 'distinct stack')}`
  await page(
    (function* () {
      yield palette(look).bold(heading)
      yield* groupTable(fromDump(groups), own, look)
    })(),
    pager,
  )
  return total
}

const isFiltered = ({ state, with: some, without, label, longer, chan }: Args): boolean =>
  [state, some, without, label, longer, chan].some(filter => filter !== undefined)

function* limited(
  list: Iterable<Goroutine>,
  matches: (goroutine: Goroutine) => boolean,
  limit = Number.POSITIVE_INFINITY,
): Generator<Goroutine> {
  let left = limit
  if (left <= 0) return
  for (const goroutine of list)
    if (matches(goroutine)) {
      yield goroutine
      if (--left === 0) return
    }
}
