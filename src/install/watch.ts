/** Waiting for a dump of a known process to appear in the archive. */
import type { ArchiveStore, DumpEntry } from '../archive/store.ts'

export interface Wanted {
  /** As this process sees it; in a container that is not the `%P` that the manifest holds. */
  readonly pid: number
  /** A word of the command line that no other process has. */
  readonly token?: string
  readonly since: Date
}

export const isWanted = (entry: DumpEntry, wanted: Wanted): boolean => {
  const { manifest } = entry
  // Whole seconds: the manifest's time may be the kernel's.
  if (Date.parse(manifest.time) < Math.floor(wanted.since.getTime() / 1000) * 1000) return false
  if (wanted.token !== undefined) return manifest.process.cmdline?.includes(wanted.token) === true
  return manifest.process.pid === wanted.pid
}

/** Looks again and again until the dump is there or the time is over. */
export async function awaitDump(
  store: ArchiveStore,
  wanted: Wanted,
  timeoutMs: number,
): Promise<DumpEntry | undefined> {
  return await poll(timeoutMs, () => {
    // A day earlier: the directory is named by the handler's UTC day.
    for (const entry of store.list({ since: new Date(wanted.since.getTime() - 86_400_000) }))
      if (isWanted(entry, wanted)) return entry
    return undefined
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
