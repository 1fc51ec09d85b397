/** A daemon as a service: with a manager that its watchdog speaks to. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { byDeafFuse, type Mounted } from '../../scripts/faults.d/mounts.ts'
import { initializeStore, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import type { TestArchive } from './archive.ts'
import { listen } from './manager.ts'
import { child, type Running, type StartOptions, startDaemon } from './running.ts'

export const watchdogMs = 2000

export interface Served {
  readonly daemon: Running
  /** What it last said of itself. */
  status(): string | undefined
  /** How often it told the watchdog that all is well. */
  beats(): number
  /** Ends the manager. */
  end(): void
}

export async function serve(archive: TestArchive, options: StartOptions = {}): Promise<Served> {
  const manager = await listen(join(archive.directory, 'notify'))
  const env = {
    NOTIFY_SOCKET: join(archive.directory, 'notify'),
    WATCHDOG_USEC: String(watchdogMs * 1000),
    ...options.env,
  }
  const daemon = await startDaemon(archive, { program: child('good'), graceMs: 1000, ...options, env })
  return {
    daemon,
    status: () =>
      manager
        .heard()
        .flatMap(([, text]) => /^STATUS=(.*)/m.exec(text)?.[1] ?? [])
        .at(-1),
    beats: () => manager.heard().filter(([, text]) => text === 'WATCHDOG=1').length,
    end: () => void manager.process.kill(),
  }
}

/** The watchdog hears what it wants to hear for a while. */
export async function staysAlive({ daemon, beats }: Served): Promise<void> {
  for (let n = 0; n < 2; n++) {
    const before = beats()
    await sleep(watchdogMs)
    assert.ok(beats() > before, daemon.log())
  }
}

/** An archive on FUSE, and the directory that its files are in. */
export async function archiveOnFuse(
  archive: TestArchive,
): Promise<{ root: string; mounted: Mounted; files: LocalStore }> {
  const root = join(archive.directory, 'archive')
  const mounted = await byDeafFuse.mount(root, join(archive.directory, 'fuse'))
  initializeStore(openLocalStore(root))
  return { root, mounted, files: openLocalStore(join(archive.directory, 'fuse/content')) }
}
