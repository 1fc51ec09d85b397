/** `goroutines`: what every goroutine was doing, grouped by equal stacks, listed, or stack by stack. */
import { NotFoundError } from '../../base/errors.ts'
import type { Goroutine } from '../../engine/report/report.ts'
import { define, wholeNumber } from '../define.ts'
import { type GoroutineFilter, goroutineFilter } from '../goroutine-filter.ts'
import { groupGoroutines } from '../group.ts'
import { dumpPositional, exeOption, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { goroutineTable } from '../render/goroutine-table.ts'
import { groupTable } from '../render/groups.ts'
import { writeLines } from '../render/output.ts'
import { ownCode } from '../render/own-code.ts'
import { page } from '../render/pager.ts'
import { lookOf, palette } from '../render/style.ts'
import { count } from '../render/text.ts'
import type { TracebackOptions } from '../render/traceback.ts'
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

interface Args extends TargetArgs, JsonArgs, TracebackOptions, GoroutineFilter {
  list?: boolean
  traceback?: boolean
  limit?: number
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  const matches = goroutineFilter(argv)
  using target = await openTarget(argv)
  if (argv.json) {
    const { goroutinesJson } = await import('../report-json.ts')
    const outline = await target.outline()
    return writeLines(1, goroutinesJson(outline, limited(await target.goroutines(), matches, argv.limit)))
  }
  const facts = await target.facts()
  // The runtime's own are hidden from people unless asked for; for programs they are marked.
  const chosen = limited(await target.goroutines(), g => (argv.system || !g.system) && matches(g), argv.limit)
  const pager = { pager: !argv.noPager }
  let printed = 0
  const counted = (function* () {
    for (const goroutine of chosen) {
      printed++
      yield goroutine
    }
  })()
  const look = lookOf(process.stdout)
  if (argv.traceback) await page(tracebacks(counted, argv), pager)
  else if (argv.list) await page(goroutineTable([...counted].map(fromDump), ownCode(facts), look), pager)
  else {
    const groups = groupGoroutines(counted)
    await page(
      (function* () {
        if (printed === 0) return
        yield palette(look).bold(`${count(printed, 'goroutine')}, ${count(groups.length, 'distinct stack')}`)
        yield* groupTable(fromDump(groups), ownCode(facts), look)
      })(),
      pager,
    )
  }
  if (printed === 0) throw new NotFoundError(`No goroutine of ${target.label} matches.`)
}

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
