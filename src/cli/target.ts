/**
 * What an inspecting verb looks at: a dump of the archive, or any core file. Reports that are stored are used as they
 * are; the core is opened when a question goes beyond them.
 */
import { existsSync } from 'node:fs'
import type { LocalStore } from '../archive/index.ts'
import type { Manifest } from '../archive/manifest.ts'
import type { DumpEntry } from '../archive/store.ts'
import { NotFoundError } from '../base/errors.ts'
import type { GoroutineView } from '../engine/index.ts'
import type { Goroutine, Report, Thread } from '../engine/report/report.ts'
import { archiveFiles } from './archive-files.ts'
import { dumpsByPrefix, findDump, looksLikeId } from './find-dump.ts'
import type { SymbolArgs, TargetArgs } from './options.ts'
import { coreState } from './render/core-state.ts'
import { printable } from './render/escape.ts'
import { writeLines } from './render/output.ts'
import { shellWord } from './render/program.ts'
import type { Session } from './session.ts'
import { openSite, type Site } from './site.ts'
import type { Symbols } from './symbols/index.ts'

/** A report without its long lists. */
export type Summary = Omit<Report, 'goroutines' | 'groups' | 'threads'>

/** What was running. */
export type Facts = Pick<Report, 'core' | 'program' | 'go'>

export interface Target extends Disposable {
  /** What to call it: an id, or a path. */
  readonly label: string
  /** What to type to look at it again. */
  readonly again: string
  readonly id?: string
  readonly manifest?: Manifest
  /** The core's file, packed or not; undefined where none was kept. */
  readonly corePath?: string
  /** The executable's file: the one that was named, the stored one, or what this machine has at its path, where it is that. */
  executablePath(): Promise<string | undefined>
  /** Everything that the archive holds of a dump, with its names there. */
  files(): { name: string; path: string }[]
  /**
   * The whole explanation; undefined where the dump has no core. `fresh`: made anew; `brief`: of the goroutines only
   * those that a renderer of groups needs, the guilty and the main one.
   */
  report(options?: { fresh?: boolean; brief?: boolean }): Promise<Report | undefined>
  /** The report with few goroutines or none, for those that are read one by one. */
  outline(): Promise<Report>
  facts(): Promise<Facts>
  /** All goroutines, one by one, in the runtime's order. */
  goroutines(): Promise<Iterable<Goroutine>>
  /** The same as a debugger sees them, which takes less; undefined where a stored report has them all. */
  views(): Promise<Iterable<GoroutineView> | undefined>
  goroutine(id: number): Promise<Goroutine | undefined>
  /** The goroutine that crashed, where one did. */
  guilty(): Promise<Goroutine | undefined>
  threads(): Promise<readonly Thread[]>
  /** The core itself, opened, for who looks into it; what `--symbols` names is in place. */
  session(): Promise<Session>
  /** Debug information of the session's files. */
  symbols(): Promise<Symbols>
}

/** Opens what `[dump]` names: a path is a file; a bare word a dump, and where there is none such, a file. */
export async function openTarget(args: TargetArgs): Promise<Target> {
  if (args.identity !== undefined) {
    const { readIdentityFile, useIdentities } = await import('../source/index.ts')
    useIdentities(readIdentityFile(args.identity))
  }
  const site = openSite(args)
  const { dump } = args
  if (dump === undefined) return dumpTarget(site, await findDump(site, undefined), args)
  if (!looksLikeId(dump)) return fileTarget(site, dump, args)
  const isFile = existsSync(dump)
  // A core file that lies here is often called just `core`, which an id may begin with, too.
  const found = isFile ? await dumpsByPrefix(site, dump).catch(() => []) : [await findDump(site, dump)]
  return found.length === 1 ? dumpTarget(site, found[0]!, args) : fileTarget(site, dump, args)
}

function fileTarget(site: Site, path: string, args: TargetArgs): Target {
  if (!existsSync(path))
    throw new NotFoundError(
      `There is no file ${path}, and an id has only the letters a to z and the digits 2 to 7.`,
    )
  return makeTarget({ label: path, path, site, args })
}

function dumpTarget(site: Site, dump: DumpEntry, args: TargetArgs): Target {
  const path = site.store.corePath(dump)
  return makeTarget({ label: dump.id, path, site, args, dump })
}

/** A core file can be looked at on a machine that has no archive, or one that we may not read. */
function archiveOf(site: Site): LocalStore | undefined {
  try {
    return site.store
  } catch {
    return undefined
  }
}

interface Parts {
  readonly label: string
  /** Of the core; undefined where none was kept. */
  readonly path: string | undefined
  readonly site: Site
  readonly args: Pick<TargetArgs, 'exe' | 'whole'> & SymbolArgs
  readonly dump?: DumpEntry
}

function makeTarget({ label, path, site, args, dump }: Parts): Target {
  const { exe, whole: deep = false, symbols: named = [] } = args
  const manifest = dump?.manifest
  let stored: Report | undefined | 'unread' = 'unread'
  let session: Promise<Session> | undefined
  let symbols: Promise<Symbols> | undefined

  /** The stored report; not for who names files or wants every frame, and none where it can't be read. */
  const readStored = async (): Promise<Report | undefined> => {
    if (stored !== 'unread') return stored
    stored = undefined
    const asStored = exe === undefined && named.length === 0 && !deep
    const text = dump && asStored ? site.store.readReport(dump) : undefined
    if (text === undefined) return undefined
    const { parseReport } = await import('../daemon/index.ts')
    try {
      stored = parseReport(text, 'report.json')
    } catch {
      // Of another version, or damaged: the core is the truth.
    }
    return stored
  }
  const openPlain = (): Promise<Session> => {
    if (path === undefined)
      throw new NotFoundError(
        `Dump ${label} has no core to look into: ${manifest ? coreState(manifest.core) : 'it is gone'}.`,
      )
    session ??= import('./session.ts').then(({ openSession }) =>
      openSession({ path, label, exe, manifest, full: deep, store: () => archiveOf(site) }),
    )
    return session
  }
  const findSymbols = async (): Promise<Symbols> => {
    const opened = await openPlain()
    const { openSymbols } = await import('./symbols/index.ts')
    const found = await openSymbols(opened, { symbols: named })
    for (const warning of found.warnings) writeLines(2, [printable(warning)])
    return found
  }
  const symbolsOf = (): Promise<Symbols> => {
    symbols ??= findSymbols()
    return symbols
  }
  const open = async (): Promise<Session> => {
    const opened = await openPlain()
    if (named.length > 0) await symbolsOf()
    return opened
  }
  const whole = async (): Promise<Report | undefined> => {
    const report = await readStored()
    return report?.goroutinesOmitted === 0 ? report : undefined
  }

  return {
    label,
    again: [
      dump ? label.slice(0, 6) : label,
      ...(exe === undefined ? [] : ['--exe', exe]),
      ...named.flatMap(name => ['--symbols', name]),
    ]
      .map(shellWord)
      .join(' '),
    ...(dump ? { id: dump.id, manifest: dump.manifest } : {}),
    ...(path === undefined ? {} : { corePath: path }),
    session: open,
    symbols: symbolsOf,
    async executablePath() {
      if (exe !== undefined) return exe
      const stored = manifest?.executable
      const kept = stored?.key === undefined ? undefined : site.store.binaryPath(stored.key)
      if (kept !== undefined || path === undefined) return kept
      // A path in a dump is what its author wrote: what lies there counts once the engine has held it against the core.
      const { image, found } = await open()
      return image.executable && found.get(image.executable.path)
    },
    files: () => (dump ? archiveFiles(site.store, dump) : []),
    async report(options) {
      const report = options?.fresh ? undefined : await readStored()
      if (report) return options?.brief ? withoutOthers(report) : report
      return path === undefined ? undefined : (await open()).report(options?.brief ? 0 : undefined)
    },
    async outline() {
      return (await readStored()) ?? (await open()).report(0)
    },
    async facts() {
      return (await readStored()) ?? (await open()).facts()
    },
    async goroutines() {
      return (await whole())?.goroutines ?? (await open()).goroutines()
    },
    async views() {
      if (await whole()) return undefined
      const { openDebugger } = await import('../engine/index.ts')
      return openDebugger((await open()).process).goroutines()
    },
    async goroutine(id) {
      const listed = (await readStored())?.goroutines.find(goroutine => goroutine.id === id)
      if (listed || (await whole())) return listed
      for (const goroutine of (await open()).goroutines()) if (goroutine.id === id) return goroutine
      return undefined
    },
    async guilty() {
      const report = await readStored()
      if (!report) return (await open()).guilty()
      return report.death.goroutine === undefined ? undefined : this.goroutine(report.death.goroutine)
    },
    async threads() {
      return (await readStored())?.threads ?? (await open()).threads()
    },
    [Symbol.dispose]() {
      session?.then(
        s => s[Symbol.dispose](),
        () => {},
      )
      site[Symbol.dispose]()
    },
  }
}

function withoutOthers(report: Report): Report {
  const goroutines = report.goroutines.filter(({ id }) => id === report.death.goroutine || id === 1)
  return { ...report, goroutines, goroutinesOmitted: report.goroutineCount - goroutines.length }
}
