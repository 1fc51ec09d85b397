/**
 * Channels (runtime/chan.go hchan): a ring of buffered elements and two queues of sudogs, goroutines that wait to
 * receive and to send. What a sender wants to send lies where its sudog points, mostly on its own stack.
 */
import { MemoryFault } from '../../base/errors.ts'
import { memoryPlace } from '../type/place.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { readAddress } from './scalar.ts'

export interface Waiter {
  /** Goroutine id; undefined where it can't be read. */
  readonly goroutine: number | undefined
  /** It waits in a select. */
  readonly select: boolean
  /** What it sends. */
  readonly value?: Variable
}

export interface ChanState {
  readonly length: number
  readonly capacity: number
  readonly closed: boolean
  /** In the order in which they will be received, at most as many as asked for. */
  readonly items: readonly Variable[]
  readonly receivers: readonly Waiter[]
  readonly senders: readonly Waiter[]
  /** Waiters that are not listed: too many, or their list is damaged. */
  readonly cut: boolean
}

/** Waiters of one queue that are looked at. */
const maxWaiters = 100_000

/** `len` or `cap` of a channel by its field; 0 for nil. */
export function chanLength(context: ValueContext, variable: Variable, field: 'qcount' | 'dataqsiz'): number {
  const at = readAddress(context, variable)
  return at === 0 ? 0 : context.memory.word(at + (context.layout(`hchan.${field}`) ?? 0))
}

/** Undefined for a nil channel. At most `max` elements and `max` waiters of a kind, from the `skip`th on. */
export function chanState(
  context: ValueContext,
  variable: Variable,
  max: number,
  skip = 0,
): ChanState | undefined {
  const { type } = variable
  const at = readAddress(context, variable)
  if (type.kind !== 'chan' || at === 0) return undefined
  const { memory } = context
  const field = (name: string): number => at + (context.layout(`hchan.${name}`) ?? 0)
  const [length, capacity] = [memory.word(field('qcount')), memory.word(field('dataqsiz'))]
  if (length > capacity) throw new MemoryFault(at, `has an impossible channel of ${length} in ${capacity}`)
  const elem = type.elem()
  const [buf, first] = [memory.word(field('buf')), memory.word(field('recvx'))]
  const items: Variable[] = []
  for (let i = skip; i < length && items.length < max; i++) {
    const index = (first + i) % capacity
    const place = memoryPlace(memory, buf + index * elem.size)
    items.push({ name: variable.name && `${variable.name}[${i}]`, type: elem, place, flags: {} })
  }
  const receivers = waiters(context, variable, field('recvq'), max, false)
  const senders = waiters(context, variable, field('sendq'), max, true)
  return {
    length,
    capacity,
    closed: memory.u32(field('closed')) !== 0,
    items,
    receivers: receivers.list,
    senders: senders.list,
    cut: receivers.cut || senders.cut,
  }
}

/** waitq {first, last *sudog}. */
function waiters(
  context: ValueContext,
  { type, name }: Variable,
  queue: number,
  max: number,
  sending: boolean,
): { list: Waiter[]; cut: boolean } {
  const { memory } = context
  const offset = (field: string): number => context.layout(`sudog.${field}`) ?? 0
  const list: Waiter[] = []
  const seen = new Set<number>()
  let at = memory.has(queue, memory.ptrSize) ? memory.word(queue) : 0
  while (at !== 0) {
    if (list.length >= max || seen.has(at) || seen.size > maxWaiters) return { list, cut: true }
    if (!memory.has(at, offset('c') + memory.ptrSize)) return { list, cut: true }
    seen.add(at)
    // Go 1.26: maybeTraceablePtr {vp unsafe.Pointer, vu uintptr}, whose first word may be nil.
    const traced = memory.word(at + offset('elem'))
    const untraced = offset('acquiretime') > offset('elem') + memory.ptrSize
    const elem = traced === 0 && untraced ? memory.word(at + offset('elem') + memory.ptrSize) : traced
    const value =
      sending && elem !== 0 && type.kind === 'chan'
        ? { name: name && `${name}.sendq`, type: type.elem(), place: memoryPlace(memory, elem), flags: {} }
        : undefined
    const select = memory.u8(at + offset('isSelect')) !== 0
    const goroutine = goroutineId(context, memory.word(at + offset('g')))
    list.push(value ? { goroutine, select, value } : { goroutine, select })
    at = memory.word(at + offset('next'))
  }
  return { list, cut: false }
}

function goroutineId(context: ValueContext, g: number): number | undefined {
  const at = g + (context.layout('g.goid') ?? 0)
  return context.memory.has(at, 8) ? Number(context.memory.u64(at)) : undefined
}
