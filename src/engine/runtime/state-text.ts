/**
 * The text between the brackets of `goroutine 7 [chan receive, 2 minutes]:`, as this Go version's
 * runtime.goroutineheader makes it.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import { type Goroutine, GStatus } from './goroutine.ts'
import { labelsInState, readLabels } from './labels.ts'
import type { RuntimeLayout } from './layouts/layout.ts'

/** runtime.gStatusStrings. */
const statusTexts: Readonly<Record<number, string>> = {
  [GStatus.idle]: 'idle',
  [GStatus.runnable]: 'runnable',
  [GStatus.running]: 'running',
  [GStatus.syscall]: 'syscall',
  [GStatus.waiting]: 'waiting',
  [GStatus.dead]: 'dead',
  [GStatus.copystack]: 'copystack',
  [GStatus.preempted]: 'preempted',
  [GStatus.leaked]: 'leaked',
  [GStatus.deadextra]: 'waiting for cgo callback',
}

/**
 * runtime.isIdleInSynctest, Go 1.25 and later; those whose text ends in ` (durable)` need no second one and are not
 * listed.
 */
const idleInSynctest = new Set([
  'chan receive (nil chan)',
  'chan send (nil chan)',
  'select (no cases)',
  'sleep',
  'sync.Cond.Wait',
  'coroutine',
  'synctest.Run',
  'synctest.Wait',
])

const minute = 60e9

export interface StateContext {
  readonly memory: Memory
  readonly layout: RuntimeLayout
  readonly goMinor: number
  readonly waitReasons: readonly string[]
  /** The runtime's clock at the crash, as well as it is known; undefined where it is not. */
  readonly now: number | undefined
  /** GODEBUG of the program. */
  readonly godebug: ReadonlyMap<string, string>
}

/** The wait reason's text; undefined for a goroutine that is not waiting or has none. */
export function waitReasonText(g: Goroutine, { waitReasons }: StateContext): string | undefined {
  const { status } = g
  if (status !== GStatus.waiting && status !== GStatus.leaked) return undefined
  const reason = g.waitReason
  return reason === 0 ? undefined : (waitReasons[reason] ?? 'unknown wait reason')
}

/** How long it has waited, as far as the runtime recorded it. */
export function waitedFor(g: Goroutine, { now }: StateContext): number | undefined {
  const { status } = g
  if ((status !== GStatus.waiting && status !== GStatus.syscall) || now === undefined) return undefined
  const since = g.waitSince
  return since === 0 ? undefined : Math.max(0, now - since)
}

export function stateText(g: Goroutine, context: StateContext): string {
  const { status } = g
  const reason = waitReasonText(g, context)
  let text = reason ?? statusTexts[status] ?? '???'
  if (status === GStatus.leaked) text += ' (leaked)'
  if (g.isScan) text += ' (scan)'
  const bubble = bubbleOf(g, context)
  if (bubble?.durable) {
    // Go 1.25 did not ask whether the goroutine was still waiting, only for its last reason.
    const last = reason ?? (context.goMinor === 25 ? context.waitReasons[g.waitReason] : undefined)
    if (last !== undefined && idleInSynctest.has(last)) text += ' (durable)'
  }
  const waited = waitedFor(g, context)
  if (waited !== undefined && waited >= minute) text += `, ${Math.floor(waited / minute)} minutes`
  if (g.isLocked) text += ', locked to thread'
  if (bubble) text += bubble.text
  // Go 1.27 prints labels behind the brackets.
  if (context.goMinor === 26 && context.godebug.get('tracebacklabels') === '1')
    text += labelsInState(readLabels(context.memory, g.field('labels') ?? 0, context.goMinor))
  return text
}

/** The synctest bubble: Go 1.24 with GOEXPERIMENT=synctest named it by its root, Go 1.25 gave it an id. */
function bubbleOf(
  g: Goroutine,
  { memory, layout }: StateContext,
): { text: string; durable: boolean } | undefined {
  try {
    const group = g.field('syncGroup')
    if (group) {
      const root = memory.word(group + layout.at('synctestGroup.root'))
      return { text: `, synctest group ${memory.u64(root + layout.at('g.goid'))}`, durable: false }
    }
    const bubble = g.field('bubble')
    if (!bubble) return undefined
    return { text: `, synctest bubble ${memory.u64(bubble + layout.at('synctestBubble.id'))}`, durable: true }
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}
