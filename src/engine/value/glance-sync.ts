/** The state words of package sync, in words. */
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { member, memberInteger } from './member.ts'

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

/** sync.Mutex.state: 1 locked, 2 woken, 4 starving, above them the waiters. Go 1.24 moved it to internal/sync, within `mu`. */
export function mutexText(context: ValueContext, mutex: Variable): string | undefined {
  const state = memberInteger(context, mutex, 'state', 'mu.state')
  if (state === undefined) return undefined
  const parts = [(state & 1n) === 0n ? 'unlocked' : 'locked']
  if ((state & 4n) !== 0n) parts.push('starving')
  const waiters = Number(state >> 3n)
  if (waiters > 0) parts.push(`${waiters} waiting`)
  return parts.join(', ')
}

const maxReaders = 1 << 30

/** readerCount is negative by 2^30 while a writer holds it or waits for it; readerWait is whom it waits for. */
export function rwMutexText(context: ValueContext, mutex: Variable): string | undefined {
  const count = memberInteger(context, mutex, 'readerCount')
  const wait = memberInteger(context, mutex, 'readerWait')
  const writer = member(context, mutex, 'w')
  if (count === undefined || wait === undefined || !writer) return undefined
  const readers = Number(count)
  const parts: string[] = []
  if (readers >= 0) parts.push(readers === 0 ? 'unlocked' : `read-locked by ${readers}`)
  else if (wait > 0n) parts.push(`read-locked by ${wait}`, 'a writer waiting')
  else parts.push('locked')
  const waiting = readers < 0 ? readers + maxReaders - Number(wait) : 0
  if (waiting > 0) parts.push(`${plural(waiting, 'reader')} waiting`)
  const writers = Number((memberInteger(context, writer, 'state', 'mu.state') ?? 0n) >> 3n)
  if (writers > 0) parts.push(`${plural(writers, 'writer')} waiting`)
  return parts.join(', ')
}

/** Counter in the upper half, waiters in the lower, whose top bit is synctest's since Go 1.25. */
export function waitGroupText(context: ValueContext, group: Variable): string | undefined {
  const state = memberInteger(context, group, 'state', 'state1')
  if (state === undefined) return undefined
  const counter = BigInt.asIntN(32, state >> 32n)
  const waiters = Number(state & 0x7fff_ffffn)
  return waiters > 0 ? `${counter} to go, ${waiters} waiting` : `${counter} to go`
}

export function onceText(context: ValueContext, once: Variable): string | undefined {
  const done = memberInteger(context, once, 'done')
  if (done === undefined) return undefined
  if (done !== 0n) return 'done'
  const lock = memberInteger(context, once, 'm.state', 'm.mu.state') ?? 0n
  return (lock & 1n) !== 0n ? 'running' : 'not done'
}
