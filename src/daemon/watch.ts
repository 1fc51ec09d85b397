/**
 * Hears of new dumps as they arrive: chokidar tells of manifests on local disks, and where inotify would not see other
 * machines' writes the caller is asked to look again and again. Either may miss one; the scheduled scan does not.
 */
import { join, relative, sep } from 'node:path'
import { watch as watchFiles } from 'chokidar'
import type { DumpRef } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'

export interface Watch {
  readonly mode: 'watching' | 'polling'
  close(): Promise<void>
}

export interface WatchEvents {
  /** A manifest appeared. */
  onDump(ref: DumpRef): void
  /** Time to look at the newest days. */
  onLook(): void
  onProblem(sentence: string): void
}

/** Watches `dumps/` below `root`; when that fails (no watches left), goes on by polling. */
export function watchArchive(root: string, pollSeconds: number, events: WatchEvents): Watch {
  const dumps = join(root, 'dumps')
  let fallback: Watch | undefined
  const watcher = watchFiles(root, {
    ignoreInitial: true,
    followSymlinks: false,
    atomic: false,
    ignored: path => path !== root && !concerns(relative(dumps, path), new Date()),
  })
  watcher.on('add', path => {
    const ref = refOf(relative(dumps, path))
    if (ref) events.onDump(ref)
  })
  // What arrived while the watches were being set is taken for old.
  watcher.on('ready', () => events.onLook())
  watcher.on('error', error => {
    if (fallback) return
    events.onProblem(`Cannot watch ${dumps}, polling it every ${pollSeconds} s: ${reasonOf(error)}`)
    fallback = pollArchive(pollSeconds, events)
  })
  return {
    get mode() {
      return fallback ? 'polling' : 'watching'
    },
    async close() {
      await fallback?.close()
      await watcher.close()
    },
  }
}

export function pollArchive(seconds: number, events: Pick<WatchEvents, 'onLook'>): Watch {
  const timer = setInterval(() => events.onLook(), seconds * 1000)
  return {
    mode: 'polling',
    async close() {
      clearInterval(timer)
    },
  }
}

/**
 * Whether a path below `dumps` is worth a watch: the years and months, the days about `now`, the dumps in those and
 * their manifests. An archive of years has a million directories, and nothing appears in the old ones.
 */
export function concerns(path: string, now: Date): boolean {
  if (path === '' || path === '.') return true
  const parts = path.split(sep)
  const file = parts[4]
  if (parts[0] === '..' || parts.length > 5 || (file !== undefined && file !== 'manifest.json')) return false
  const date = parts.slice(0, 3).join('/')
  // Clocks of other machines differ, and a long dump bears the day on which it began.
  const days = [-1, 0, 1].map(offset =>
    new Date(now.getTime() + offset * 86_400_000).toISOString().slice(0, 10),
  )
  return days.some(day => `${day.replaceAll('-', '/')}/`.startsWith(`${date}/`))
}

function refOf(path: string): DumpRef | undefined {
  const match = /^(\d{4}\/\d{2}\/\d{2})\/([a-z2-7]{12})\/manifest\.json$/.exec(path.split(sep).join('/'))
  return match ? { day: match[1]!, id: match[2]! } : undefined
}
