/**
 * The whole explanation of a crash, for a person at three in the morning: the verdict, what crashed, the guilty
 * goroutine, what all others were doing, and how to look further.
 */
import type { Goroutine, Report, Thread } from '../../engine/report/report.ts'
import type { SourceFinder } from '../source-lines.ts'
import { coreState } from './core-state.ts'
import { type Crash, crashFacts } from './crash-facts.ts'
import { facts } from './facts.ts'
import { groupTable } from './groups.ts'
import { ownCode } from './own-code.ts'
import { programName } from './program.ts'
import { creatorLine, type StackOptions, stack } from './stack.ts'
import { type Look, palette } from './style.ts'
import { count, wrap } from './text.ts'

export interface ShowOptions {
  readonly source: SourceFinder
  /** Everything: all frames, all groups, system goroutines too. */
  readonly all: boolean
}

const mostFrames = 40
const mostGroups = 15

export function* show(crash: Crash, look: Look, options: ShowOptions): Generator<string> {
  const { report } = crash
  yield* verdict(crash, look)
  yield ''
  yield* facts(crashFacts(crash, look), look)
  if (!report) return
  const stackOptions: StackOptions = {
    source: options.source,
    own: ownCode(report),
    most: options.all ? Number.POSITIVE_INFINITY : mostFrames,
    withSource: 6,
  }
  yield* guilty(report, look, stackOptions)
  yield* others(report, look, options)
  yield* warnings(report, look)
  yield ''
  yield* further(crash, look)
}

function* verdict({ manifest, report }: Crash, look: Look): Generator<string> {
  const { bad } = palette(look)
  const width = Math.min(look.width, 118)
  if (!report) {
    const name = programName(manifest, undefined)
    const signal = manifest?.signal.name ?? 'a signal'
    yield bad(`${name} died of ${signal}`)
    if (manifest) yield* wrap(`There is nothing to analyse: core ${coreState(manifest.core)}.`, width)
    return
  }
  const [headline, ...rest] = report.death.message.trimEnd().split('\n')
  for (const line of wrap(headline || 'No cause of death is recorded in the core.', width)) yield bad(line)
  for (const line of rest.slice(0, 20)) yield line
  if (rest.length > 20) yield `… ${count(rest.length - 20, 'more line')}`
  for (const panic of report.death.panics.filter(p => p.recovered || p.repanicked).slice(0, 5))
    yield* wrap(
      `${panic.recovered ? 'Recovered earlier' : 'Panicked again'}: ${panic.text.split('\n')[0]}`,
      width,
    )
  const { verdict } = report.death
  if (verdict !== '' && verdict !== report.death.message)
    yield* verdict.split('\n').flatMap(line => wrap(line, width))
}

function* guilty(report: Report, look: Look, options: StackOptions): Generator<string> {
  const goroutine = report.goroutines.find(g => g.id === report.death.goroutine)
  const thread = report.threads.find(t => t.crashed)
  yield ''
  if (goroutine) {
    yield palette(look).bold(heading(goroutine))
    yield* labels(goroutine)
    yield* stack(goroutine.frames, look, options)
    if (goroutine.framesOmitted)
      yield palette(look).dim(`      … ${count(goroutine.framesOmitted, 'frame')} more, not walked`)
    if (goroutine.createdBy) yield creatorLine(goroutine.createdBy, look)
  } else if (thread) yield* crashedThread(thread, look, options)
  else yield 'The core does not tell which thread or goroutine died.'
  if (options.source.noneFound)
    yield palette(look).dim(
      '      (no matching source files on this machine; --source DIR says where they are)',
    )
}

const heading = (g: Goroutine): string => {
  const thread = g.thread === undefined ? '' : `, on thread ${g.thread}`
  return `goroutine ${g.id} [${g.state}]${g.system ? ', of the runtime itself' : ''}${thread}`
}

function* labels(goroutine: Goroutine): Generator<string> {
  const entries = Object.entries(goroutine.labels ?? {})
  if (entries.length > 0) yield `  labels: ${entries.map(([key, value]) => `${key}=${value}`).join(', ')}`
}

function* crashedThread(thread: Thread, look: Look, options: StackOptions): Generator<string> {
  const on = {
    goroutine: '',
    g0: ', on its g0 stack',
    gsignal: ', on its signal stack',
    c: ', in C code',
    unknown: '',
  }
  yield palette(look).bold(`thread ${thread.tid}${on[thread.stack]}`)
  if (thread.frames.length === 0) yield '  (its stack could not be read)'
  yield* stack(
    thread.frames.map(frame => ({ ...frame, hidden: false })),
    look,
    options,
  )
}

function* others(report: Report, look: Look, options: ShowOptions): Generator<string> {
  if (!report.go) return yield* otherThreads(report, look)
  const groups = report.groups
    .map(group => withoutGuilty(group, report.death.goroutine))
    .filter(group => group.count > 0 && (options.all || !group.system))
  const system = report.groups.filter(g => g.system).reduce((sum, g) => sum + g.count, 0)
  const total = groups.reduce((sum, group) => sum + group.count, 0)
  const shown = options.all ? groups : groups.slice(0, mostGroups)
  const { bold, dim } = palette(look)
  yield ''
  if (total === 0) yield bold('No other goroutines')
  else
    yield bold(
      `${count(total, 'other goroutine')}${total > 1 ? `, ${count(groups.length, 'distinct stack')}` : ''}`,
    )
  yield* groupTable(shown, ownCode(report), look)
  const left = groups.slice(shown.length)
  if (left.length > 0)
    yield dim(
      `  … ${count(left.length, 'more stack')} with ${count(
        left.reduce((sum, g) => sum + g.count, 0),
        'goroutine',
      )}`,
    )
  if (system > 0 && !options.all) yield dim(`  and ${count(system, 'goroutine')} of the runtime itself`)
}

function withoutGuilty<G extends { count: number; ids: number[] }>(group: G, guilty: number | undefined): G {
  if (guilty === undefined || !group.ids.includes(guilty)) return group
  return { ...group, count: group.count - 1, ids: group.ids.filter(id => id !== guilty) }
}

function* otherThreads(report: Report, look: Look): Generator<string> {
  const rest = report.threads.filter(thread => !thread.crashed)
  if (rest.length === 0) return
  yield ''
  yield palette(look).bold(count(rest.length, 'other thread'))
  for (const thread of rest.slice(0, mostGroups))
    yield `  ${thread.tid}  ${thread.frames[0]?.function ?? 'no frames'}`
  if (rest.length > mostGroups) yield `  … ${count(rest.length - mostGroups, 'more')}`
}

function* warnings(report: Report, look: Look): Generator<string> {
  if (report.warnings.length === 0) return
  yield ''
  const { warn } = palette(look)
  const width = Math.min(look.width, 118)
  for (const { message } of report.warnings.slice(0, 10))
    for (const [i, line] of wrap(message, width - 9).entries())
      yield `${i === 0 ? warn('warning:') : '        '} ${line}`
  if (report.warnings.length > 10)
    yield `… ${count(report.warnings.length - 10, 'more warning')} (--json has them all)`
}

function* further({ target, report, manifest }: Crash, look: Look): Generator<string> {
  const { dim } = palette(look)
  const short = manifest ? target.slice(0, 6) : target
  const lines = report?.go
    ? [
        [`gocore-sink bt -a ${short}`, 'every goroutine, as the runtime prints them'],
        [`gocore-sink goroutines ${short}`, 'filter and group them'],
        ...(manifest ? [[`gocore-sink info ${short}`, 'all facts of the process']] : []),
        ...(report.signature.key && manifest
          ? [[`gocore-sink ls --signature ${report.signature.key}`, 'crashes like this one']]
          : []),
      ]
    : [
        [`gocore-sink threads ${short}`, 'the stacks of all threads'],
        ...(manifest ? [[`gocore-sink info ${short}`, 'all facts of the process']] : []),
      ]
  const width = Math.max(...lines.map(([command]) => command!.length))
  for (const [i, [command, why]] of lines.entries())
    yield `${i === 0 ? 'More:' : '     '} ${command!.padEnd(width)}  ${dim(why!)}`
}
