/** `goroutines`: what every goroutine was doing, grouped by equal stacks, listed, or stack by stack. */
import { NotFoundError } from '../../base/errors.ts'
import type { Goroutine, GoroutineGroup } from '../../engine/report/report.ts'
import { define, wholeNumber } from '../define.ts'
import { type GoroutineFilter, goroutineFilter } from '../goroutine-filter.ts'
import { groupGoroutines } from '../group.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import { dumpPositional, exeOption, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { type GoroutineRow, goroutineRow, goroutineTable } from '../render/goroutine-table.ts'
import { groupTable } from '../render/groups.ts'
import { writeLines } from '../render/output.ts'
import { ownCode } from '../render/own-code.ts'
import { type PageOptions, page } from '../render/pager.ts'
import { type Look, lookOf, palette } from '../render/style.ts'
import { count } from '../render/text.ts'
import type { TracebackOptions } from '../render/traceback.ts'
import type { Target } from '../target.ts'
import { entry } from '../verbs.ts'
import { tracebacks } from './bt.ts'

export const { command, describe } = entry('goroutines')

const group = 'Which goroutines'

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...exeOption,
    list: { type: 'boolean', alias: 'l', describe: 'one by one instead of grouped' },
    traceback: { type: 'boolean', alias: 't', describe: "whole stacks, in the runtime's own format" },
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
      value: 'TEXT',
      several: true,
      describe: 'a frame holds this text, in its function or file:line',
      group,
    },
    without: { type: 'string', value: 'TEXT', several: true, describe: 'no frame holds this text', group },
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
    by: {
      type: 'string',
      value: 'PLACE',
      describe:
        'grouped by place, not by stack: userloc, curloc, goloc, startloc, running, user, or label:KEY',
    },
    ...Object.fromEntries(
      Object.entries(placeOptions).map(([name, option]) => [
        name,
        { ...option, group: 'Where --chan is looked from' },
      ]),
    ),
    system: { type: 'boolean', alias: 's', describe: "the runtime's own goroutines and frames too", group },
    limit: { type: 'string', alias: 'n', value: 'N', describe: 'at most so many', parse: wholeNumber, group },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink goroutines', 'of the latest crash, by equal stacks'],
    ['gocore-sink goroutines -l --state "chan receive" --longer 5m', 'who has waited on a channel for long'],
    ['gocore-sink goroutines -t --with net/http 7f3k', 'whole stacks that pass through net/http'],
    ['gocore-sink goroutines ./core --json', 'all of them, streamed, for programs'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions, GoroutineFilter, PlaceArgs {
  chan?: string
  by?: string
  list?: boolean
  traceback?: boolean
  limit?: number
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  if (argv.by !== undefined) return groupedBy(argv, argv.by)
  using target = await openTarget(argv)
  const onChannel = argv.chan === undefined ? undefined : await waitersOn(target, argv, argv.chan)
  const filter = goroutineFilter(argv)
  const matches = (g: Goroutine): boolean => (onChannel?.has(g.id) ?? true) && filter(g)
  if (argv.json) {
    const { goroutinesJson } = await import('../report-json.ts')
    const outline = await target.outline()
    return writeLines(1, goroutinesJson(outline, limited(await target.goroutines(), matches, argv.limit)))
  }
  const matched = await inForm(target, argv, matches)
  if (matched === 0) throw new NotFoundError(`No goroutine of ${target.label} matches.`)
}

async function groupedBy(argv: Args, by: string): Promise<void> {
  const { answerVerb } = await import('../debug/verb.ts')
  const { goroutines } = await import('../debug/commands/goroutines.ts')
  const what = by.startsWith('label:') ? `label ${by.slice(6)}` : by
  await answerVerb(argv, 'gocore-goroutines', state => goroutines.run(state, `-group ${what}`))
}

async function waitersOn(target: Target, argv: Args, expression: string): Promise<ReadonlySet<number>> {
  const { openState } = await import('../debug/open.ts')
  const state = await openState(target, { place: argv })
  return state.debugger.waitersOn(state.evaluate(expression))
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
  if (!argv.list && !argv.traceback && !isFiltered(argv)) {
    // The report has them grouped already.
    const { groups } = await target.outline()
    return printGroups(argv.system ? groups : groups.filter(group => !group.system), own, look, pager)
  }
  let matched = 0
  // The runtime's own are hidden from people unless asked for; for programs they are marked.
  const chosen = limited(await target.goroutines(), g => (argv.system || !g.system) && matches(g), argv.limit)
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

const isFiltered = ({ state, with: some, without, label, longer, limit, chan }: Args): boolean =>
  [state, some, without, label, longer, limit, chan].some(filter => filter !== undefined)

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
