/** A core that is open: the engine over it, asked for what a verb needs and no more. */
import { statSync } from 'node:fs'
import type { LocalStore } from '../archive/index.ts'
import type { Manifest } from '../archive/manifest.ts'
import {
  type ByteSource,
  type Goroutine,
  openCore,
  type Process,
  type Report,
  type Thread,
} from '../engine/index.ts'
import { openCoreFile } from '../source/index.ts'
import { openFiles } from './files.ts'
import { startProgress } from './render/progress.ts'
import { openConventional } from './symbols/conventional.ts'

export interface Session extends Disposable {
  /** The whole report; `goroutines`: how many it lists at most, instead of the engine's own limit. */
  report(goroutines?: number): Report
  facts(): Pick<Report, 'core' | 'program' | 'go'>
  goroutines(): Iterable<Goroutine>
  guilty(): Goroutine | undefined
  threads(): Thread[]
  /** The dead process, for what goes beyond a report. */
  readonly process: Process
  /** When it died, milliseconds since the epoch: as the handler noted, or as old as the core's file is. */
  readonly diedAt: number
  /** The core and the files that were found for it. */
  readonly image: Process['image']
  /** Files on this machine by the paths of the process. */
  readonly found: ReadonlyMap<string, string>
  /** Its content, unpacked. */
  readonly core: ByteSource
  /** To be released with the session. */
  keep(resource: Disposable): void
}

export interface SessionOptions {
  /** Of the core. */
  readonly path: string
  /** What to call it in messages. */
  readonly label: string
  readonly exe: string | undefined
  readonly manifest: Manifest | undefined
  readonly store: () => LocalStore | undefined
  /** Every frame of every stack, however deep; otherwise the middle of very deep ones is left out. */
  readonly full?: boolean
}

/** A stack of Go ends at 1 GB (runtime/debug.SetMaxStack); most frames of one that got there are small. */
const everyFrame = { inner: 4_000_000, outer: 1 }

export function openSession({ path, label, exe, manifest, store, full }: SessionOptions): Session {
  const progress = startProgress(`analysing ${label}`)
  const core = openCoreFile(path, {
    tolerant: true,
    onProgress: (done, total) => progress.update(done, total),
  })
  const files = openFiles({ exe, manifest, store })
  // The engine is synchronous: its reads are what moves the progress line.
  const counted = {
    name: path,
    size: core.size,
    read: (offset: number, length: number) => {
      progress.update(0)
      return core.read(offset, length)
    },
  }
  const monotonicNow = manifest?.monotonic_ns
  const open = () =>
    openCore(counted, files, {
      ...(monotonicNow === undefined ? {} : { monotonicNow }),
      ...(full ? { limits: everyFrame } : {}),
    })
  const kept: Disposable[] = []
  const dispose = (): void => {
    for (const resource of kept) resource[Symbol.dispose]()
    progress[Symbol.dispose]()
    files[Symbol.dispose]()
    core[Symbol.dispose]()
  }
  let process: ReturnType<typeof open>
  try {
    process = open()
  } catch (error) {
    dispose()
    throw error
  }
  kept.push(openConventional(process.image, files.found))
  return {
    report: goroutines => withWarnings(process.report(goroutines), core.warnings),
    facts: () => process.facts(),
    goroutines: () => process.goroutines(),
    guilty: () => process.guilty(),
    threads: () => [...process.threads()],
    process,
    diedAt: manifest ? Date.parse(manifest.time) : statSync(path).mtimeMs,
    image: process.image,
    found: files.found,
    core,
    keep: resource => void kept.push(resource),
    [Symbol.dispose]: dispose,
  }
}

/** What is missing of the packed file belongs to what is missing of the core. */
function withWarnings(report: Report, sentences: readonly string[]): Report {
  const added = sentences.map(message => ({ code: 'core-damaged', message }))
  return { ...report, warnings: [...added, ...report.warnings] }
}
