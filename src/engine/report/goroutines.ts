/** Goroutines of the runtime as goroutines of the report, and their groups by equal stacks, in one pass. */
import { panicsOf } from '../runtime/death.ts'
import { GStatus, type Goroutine as RuntimeGoroutine } from '../runtime/goroutine.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Traceback } from '../runtime/traceback.ts'
import type { TypeReader } from '../value/rtype.ts'
import { panicRecord } from './death.ts'
import { createdBy, goFrame } from './frames.ts'
import { isMapFunction } from './map-rivals.ts'
import { goPlace } from './place.ts'
import type { Goroutine, GoroutineGroup } from './report.ts'

const maxGroupIds = 32

export function toGoroutine(
  runtime: Runtime,
  g: RuntimeGoroutine,
  types: TypeReader | undefined,
  traceback: Traceback = runtime.tracebackOf(g),
): Goroutine {
  const waitReason = runtime.waitReasonOf(g)
  const waitNs = runtime.waitedFor(g)
  const labels = runtime.labelsOf(g)
  const panics = types ? panicsOf(runtime, types, g) : []
  const thread = runtime.threadOf(g)?.thread.tid
  const since = attempt(() => g.waitSince, 0)
  return {
    id: attempt(() => g.id, 0),
    state: runtime.stateOf(g),
    status: attempt(() => g.statusName, 'unknown'),
    ...(waitReason === undefined ? {} : { waitReason }),
    ...(since > 0 ? { waitSinceNs: since } : {}),
    ...(waitNs === undefined ? {} : { waitNs }),
    lockedToThread: attempt(() => g.isLocked, false),
    ...(thread === undefined ? {} : { thread }),
    system: runtime.isSystem(g),
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels) } : {}),
    frames: traceback.frames.map(goFrame),
    ...(traceback.omitted
      ? { framesOmitted: traceback.omitted.count, framesOmittedAfter: traceback.omitted.after }
      : {}),
    ...createdBy(runtime.createdBy(g)),
    ...(panics.length > 0 ? { panics: panics.map(panic => panicRecord(panic)) } : {}),
  }
}

/** A goroutine that a verdict may speak of: in the middle of a panic, or of work on a map. */
export function isNotable(g: RuntimeGoroutine, { frames }: Traceback): boolean {
  return attempt(() => {
    if ((g.field('_panic') ?? 0) !== 0) return true
    return g.status !== GStatus.waiting && frames.some(frame => isMapFunction(frame.function))
  }, false)
}

interface Group {
  readonly first: RuntimeGoroutine
  readonly state: string
  readonly ids: number[]
  count: number
  longestWaitNs: number
}

/** Groups by state without the time, by the stack's program counters and by the go statement. */
export class Groups {
  readonly #runtime: Runtime
  readonly #groups = new Map<string, Group>()

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  add(g: RuntimeGoroutine, traceback: Traceback): void {
    const state = withoutTime(this.#runtime.stateOf(g))
    const key = `${hashStack(
      traceback,
      attempt(() => g.gopc, 0),
    )} ${state}`
    const id = attempt(() => g.id, 0)
    const waited = this.#runtime.waitedFor(g) ?? 0
    const group = this.#groups.get(key)
    if (!group) {
      this.#groups.set(key, { first: g, state, ids: [id], count: 1, longestWaitNs: waited })
      return
    }
    group.count++
    if (group.ids.length < maxGroupIds) group.ids.push(id)
    if (waited > group.longestWaitNs) group.longestWaitNs = waited
  }

  /** How many goroutines that are the program's own are in which state. */
  states(): Map<string, number> {
    const states = new Map<string, number>()
    for (const { first, state, count } of this.#groups.values())
      if (!this.#runtime.isSystem(first)) states.set(state, (states.get(state) ?? 0) + count)
    return states
  }

  /** The same with the place in the program: `chan receive at main.worker (main.go:22)`. */
  waits(isOwn: (name: string) => boolean): Map<string, number> {
    const waits = new Map<string, number>()
    for (const { first, state, count } of this.#groups.values()) {
      if (this.#runtime.isSystem(first)) continue
      const place = goPlace({ frames: this.#runtime.tracebackOf(first).frames.map(goFrame), isOwn })
      const wait = place ? `${state} at ${place}` : state
      waits.set(wait, (waits.get(wait) ?? 0) + count)
    }
    return waits
  }

  list(): GoroutineGroup[] {
    return [...this.#groups.values()]
      .sort((a, b) => b.count - a.count || (a.ids[0] ?? 0) - (b.ids[0] ?? 0))
      .map(({ first, state, ids, count, longestWaitNs }) => ({
        count,
        ids,
        state,
        ...(longestWaitNs > 0 ? { longestWaitNs } : {}),
        system: this.#runtime.isSystem(first),
        frames: this.#runtime.tracebackOf(first).frames.map(goFrame),
        ...createdBy(this.#runtime.createdBy(first)),
      }))
  }
}

/** `chan receive, 2 minutes, locked to thread` without the time. */
export function withoutTime(state: string): string {
  return state.replace(/, \d+ minutes\b/, '')
}

/** Two 32-bit hashes (FNV-1a and a rotation) over the program counters: 64 bits are enough to call stacks equal by. */
function hashStack({ frames, omitted }: Traceback, gopc: number): string {
  let a = 0x811c9dc5
  let b = frames.length
  const mix = (value: number): void => {
    const [low, high] = [value | 0, (value / 0x100000000) | 0]
    a = Math.imul(a ^ low, 0x01000193)
    a = Math.imul(a ^ high, 0x01000193)
    b = (Math.imul((b << 5) | (b >>> 27), 0x9e3779b1) ^ low) | 0
  }
  for (const { pc } of frames) mix(pc)
  mix(gopc)
  mix(omitted?.count ?? 0)
  return `${a >>> 0}.${b >>> 0}`
}

function attempt<T>(read: () => T, fallback: T): T {
  try {
    return read()
  } catch {
    // Unreadable memory: the runtime has warned of it already.
    return fallback
  }
}
