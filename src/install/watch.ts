/** Waiting for a dump of a known process to appear in the archive. */
import { readdirSync, readFileSync } from 'node:fs'
import type { ArchiveStore, DumpEntry } from '../archive/store.ts'
import { readCorePattern, socketPattern } from './pattern.ts'

export interface Wanted {
  /** As this process sees it; in a container that is not the `%P` that the manifest holds. */
  readonly pid: number
  /** A word of the command line, or the value of `variable` in the environment, that no other process has. */
  readonly token?: string
  /** Also processes that were started by the wanted one, which inherit the variable. */
  readonly variable?: string
  readonly since: Date
}

export const isWanted = (entry: DumpEntry, wanted: Wanted): boolean => {
  const { manifest } = entry
  // Whole seconds: the manifest's time may be the kernel's.
  if (Date.parse(manifest.time) < Math.floor(wanted.since.getTime() / 1000) * 1000) return false
  const { pid, cmdline, environ } = manifest.process
  if (wanted.variable !== undefined)
    return pid === wanted.pid || (wanted.token !== undefined && environ?.[wanted.variable] === wanted.token)
  return wanted.token === undefined ? pid === wanted.pid : cmdline?.includes(wanted.token) === true
}

/** The dump, or undefined where it is not there yet. */
export function findDump(store: ArchiveStore, wanted: Wanted): DumpEntry | undefined {
  // A minute earlier: the manifest's time is that of another clock, isWanted() has the last word.
  for (const entry of store.list({ since: new Date(wanted.since.getTime() - 60_000) }))
    if (isWanted(entry, wanted)) return entry
  return undefined
}

/** Looks again and again until the dump is there or the time is over. */
export const awaitDump = (
  store: ArchiveStore,
  wanted: Wanted,
  timeoutMs: number,
): Promise<DumpEntry | undefined> => poll(timeoutMs, () => findDump(store, wanted))

/**
 * Waits as long as a handler is at work that was not there `before`, but not for long: the kernel lets a process go
 * before its dump is listed, and the handler may be another's.
 */
export async function awaitDumpInHand(
  store: ArchiveStore,
  wanted: Wanted,
  before: ReadonlySet<number>,
): Promise<DumpEntry | undefined> {
  // Handlers of the socket stand by: who is at work can't be told.
  const isByPipe = readCorePattern() !== socketPattern
  const end = await poll(mostPatienceMs, () => {
    const idle = isByPipe && runningHandlers().every(pid => before.has(pid))
    return findDump(store, wanted) ?? (idle ? 'none' : undefined)
  })
  return end === 'none' ? undefined : end
}

const mostPatienceMs = 10_000

/** Process ids of all handlers; command lines are readable to everyone as a rule. */
export function runningHandlers(): number[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const handles = readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('/dist/handler.cjs\0')
      return handles ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

export async function poll<T>(timeoutMs: number, look: () => T | undefined): Promise<T | undefined> {
  const end = performance.now() + timeoutMs
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    const found = look()
    if (found !== undefined) return found
    if (performance.now() >= end) return undefined
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}
