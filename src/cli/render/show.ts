/**
 * The whole explanation of a crash, for a person at three in the morning: the verdict, what crashed, the guilty
 * goroutine, what all others were doing, and how to look further.
 */
import type { Manifest } from '../../archive/manifest.ts'
import type { Frame, Goroutine, Report, Thread } from '../../engine/report/report.ts'
import type { SourceFinder } from '../source-lines.ts'
import { coreState, whyNotWhole } from './core-state.ts'
import { type Crash, crashFacts } from './crash-facts.ts'
import { printable } from './escape.ts'
import { facts } from './facts.ts'
import { groupTable } from './groups.ts'
import { ownCode } from './own-code.ts'
import { programName } from './program.ts'
import { creatorLine, type StackOptions, stack } from './stack.ts'
import { type Look, palette, widest } from './style.ts'
import { count, cut, wrap } from './text.ts'

export interface ShowOptions {
  readonly source: SourceFinder
  /** Everything: all frames, all groups, system goroutines too. */
  readonly all: boolean
}

const mostFrames = 40
const mostGroups = 15
const mostMessageLines = 20

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
  const width = Math.min(look.width, widest)
  if (!report) {
    const name = programName(manifest, undefined)
    const signal = manifest?.signal.name ?? 'a signal'
    yield bad(`${name} died of ${signal}`)
    if (manifest) yield* wrap(noReport(manifest), width)
    return
  }
  const { message, lines, verdict } = report.death
  const [headline, ...rest] = lines && lines.length > 0 ? lines : message.trimEnd().split('\n')
  for (const line of wrap(headline || 'No cause of death is recorded in the core.', width)) yield bad(line)
  for (const line of rest.slice(0, mostMessageLines)) yield line
  if (rest.length > mostMessageLines)
    yield `… ${count(rest.length - mostMessageLines, 'more line')} (--json has them all)`
  if (isWithoutExecutable(report)) yield* wrap(withoutExecutable(report, manifest), width)
  else if (verdict !== '' && verdict !== message)
    yield* verdict.split('\n').flatMap(line => wrap(line, width))
  yield* printedBefore(report, look)
}

/** Why there is no more to tell. */
const noReport = ({ core }: Manifest): string =>
  core.state === 'none'
    ? `No core was kept, so the cause is not known: ${whyNotWhole(core)}.`
    : `Its core (${coreState(core)}) is no longer in the archive.`

const isWithoutExecutable = ({ program, warnings }: Report): boolean =>
  program.language !== 'go' && warnings.some(({ code }) => code === 'executable-missing')

function withoutExecutable({ program }: Report, manifest: Manifest | undefined): string {
  const [why] = (manifest?.notes ?? []).flatMap(note => /without its executable: (.+)/.exec(note)?.[1] ?? [])
  const fate = why === undefined ? 'was not found' : `could not be stored (${printable(why)})`
  return `The executable ${program.path ? `${program.path} ` : ''}${fate}, so its code can't be told: --exe FILE names it.`
}

/** The last words of the program's own that the runtime had in hand, without those that are the verdict. */
function* printedBefore({ death }: Report, look: Look): Generator<string> {
  const ours = new Set(death.lines ?? [death.message])
  const words = (death.printed ?? '')
    .split('\n')
    .filter(
      line =>
        line.trim() !== '' &&
        !ours.has(line) &&
        !/^(?:panic: |fatal error: |\[signal |goroutine | {4}|runtime)/.test(line),
    )
  if (words.length === 0) return
  yield ''
  yield palette(look).dim(`Printed before:${words.length > 5 ? ' …' : ''}`)
  for (const line of words.slice(-5)) yield `  ${cut(line, Math.max(20, look.width - 2))}`
}

function* guilty(report: Report, look: Look, options: StackOptions): Generator<string> {
  const { death, goroutines } = report
  const goroutine = goroutines.find(g => g.id === death.goroutine)
  const thread = report.threads.find(t => t.crashed)
  const main = mainForAll(report)
  // Addresses alone would say nothing.
  if (isWithoutExecutable(report) && thread?.frames.every(frame => frame.function === '??')) return
  yield ''
  if (goroutine) {
    yield palette(look).bold(heading(goroutine))
    yield* labels(goroutine)
    yield* goroutineStack(goroutine, thread ? interrupted(report, thread) : [], look, options)
  } else if (main) {
    yield `${palette(look).bold(heading(main))}, the main one`
    yield* goroutineStack(main, [], look, options)
  } else if (thread && report.go && death.kind !== 'alive' && isIdle(thread))
    yield `thread ${thread.tid} took the signal in the scheduler, between goroutines`
  else if (thread) yield* crashedThread(thread, look, options)
  else yield 'The core does not tell which thread or goroutine died.'
  if (options.source.noneFound)
    yield palette(look).dim(
      '      (no matching source files on this machine; --source DIR says where they are)',
    )
}

/** A deadlock is nobody's alone, nor is a process that goes on: the main goroutine stands for the program. */
function mainForAll({ death, goroutines }: Report): Goroutine | undefined {
  const isNobodys = death.kind === 'alive' || death.message.includes('deadlock')
  if (death.goroutine !== undefined || !isNobodys) return undefined
  return goroutines.find(g => g.id === 1)
}

function* goroutineStack(
  goroutine: Goroutine,
  above: Frame[],
  look: Look,
  options: StackOptions,
): Generator<string> {
  const { dim } = palette(look)
  const { frames, framesOmitted, framesOmittedAfter = frames.length } = goroutine
  yield* stack([...above, ...frames.slice(0, framesOmittedAfter)], look, options)
  if (framesOmitted) yield dim(`      … ${count(framesOmitted, 'frame')} in between, too deep to keep`)
  const rest = frames.slice(framesOmittedAfter)
  if (rest.length > 0)
    yield* stack(rest, look, {
      ...options,
      withSource: 0,
      most: Math.ceil(options.most / 4),
      from: above.length + framesOmittedAfter + (framesOmitted ?? 0),
    })
  if (goroutine.createdBy) yield creatorLine(goroutine.createdBy, look)
}

/** C code that the goroutine had called when the signal came: what the thread did before its signal handler. */
function interrupted({ death }: Report, thread: Thread): Frame[] {
  if (death.kind !== 'signal' && death.kind !== 'killed') return []
  if (thread.goroutine !== death.goroutine) return []
  return beforeSignal(thread.frames).filter(frame => !frame.function.startsWith('runtime.'))
}

/** Whether the signal came while the thread ran nothing but the runtime. */
const isIdle = (thread: Thread): boolean =>
  beforeSignal(thread.frames).every(frame => frame.function.startsWith('runtime.'))

/** The frames below the signal handler's. */
function beforeSignal(frames: readonly Frame[]): Frame[] {
  return frames.slice(frames.findLastIndex(frame => /^runtime\.sig(?:tramp|return)/.test(frame.function)) + 1)
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
    beforeSignal(thread.frames).map(frame => ({ ...frame, hidden: false })),
    look,
    options,
  )
}

function* others(report: Report, look: Look, options: ShowOptions): Generator<string> {
  if (isWithoutExecutable(report)) return
  if (!report.go) return yield* otherThreads(report, look)
  const above = report.death.goroutine ?? mainForAll(report)?.id
  const groups = report.groups
    .map(group => withoutShown(group, above))
    .filter(group => group.count > 0 && (options.all || !group.system))
  const system = options.all ? 0 : total(report.groups.filter(group => group.system))
  const shown = options.all ? groups : groups.slice(0, mostGroups)
  const { bold, dim } = palette(look)
  const noun = above === undefined ? 'goroutine' : 'other goroutine'
  yield ''
  if (groups.length === 0)
    yield bold(`No ${noun}s${system > 0 ? ` but ${system} of the runtime itself` : ''}`)
  else if (groups.length === 1) yield bold(count(total(groups), noun))
  else yield bold(`${count(total(groups), noun)}, ${groups.length} distinct stacks`)
  yield* groupTable(shown, ownCode(report), look)
  const left = groups.slice(shown.length)
  if (left.length > 0)
    yield dim(
      `  … ${count(left.length, 'more stack')} with ${count(total(left), 'goroutine')} (--all shows them)`,
    )
  if (groups.length > 0 && system > 0) yield dim(`  and ${count(system, 'goroutine')} of the runtime itself`)
}

const total = (groups: readonly { count: number }[]): number =>
  groups.reduce((sum, group) => sum + group.count, 0)

function withoutShown<G extends { count: number; ids: number[] }>(group: G, shown: number | undefined): G {
  if (shown === undefined || !group.ids.includes(shown)) return group
  return { ...group, count: group.count - 1, ids: group.ids.filter(id => id !== shown) }
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
  const said = isWithoutExecutable(report) ? 'executable-missing' : ''
  const list = report.warnings.filter(({ code }) => code !== said)
  if (list.length === 0) return
  yield ''
  const { warn } = palette(look)
  const width = Math.min(look.width, widest)
  for (const { message } of list.slice(0, 10))
    for (const [i, line] of wrap(printable(message), width - 9).entries())
      yield `${i === 0 ? warn('warning:') : '        '} ${line}`
  if (list.length > 10) yield `… ${count(list.length - 10, 'more warning')} (--json has them all)`
}

function* further({ target: short, report, manifest }: Crash, look: Look): Generator<string> {
  const { dim } = palette(look)
  const lines = report?.go
    ? [
        [`gocore-sink bt -a ${short}`, 'every goroutine, as the runtime prints them'],
        [`gocore-sink goroutines ${short}`, 'filter and group them'],
        [`gocore-sink debug ${short}`, 'variables, expressions, source and code'],
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
  const explained = lines.every(([, why]) => width + why!.length + 8 <= Math.min(look.width, widest))
  for (const [i, [command, why]] of lines.entries())
    yield `${i === 0 ? 'More:' : '     '} ${explained ? `${command!.padEnd(width)}  ${dim(why!)}` : command}`
}
