/** The configuration, the archive and the catalog that a verb works on, opened as far as it asks for them. */
import { resolve } from 'node:path'
import { type LocalStore, openLocalStore } from '../archive/index.ts'
import { knownFile, whyAbsent } from '../archive/known.ts'
import type { DumpRef } from '../archive/store.ts'
import { ArchiveError, UsageError } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type Config, loadConfig, spoolRoot } from '../config/index.ts'
import type { CatalogPlace } from './catalog-access.ts'
import type { GlobalArgs } from './options.ts'

export interface Site extends Disposable, CatalogPlace {
  readonly config: Config
  /** Throws ArchiveError where the archive is known and is not there. */
  readonly store: LocalStore
  /** Where the archive is, or comes: for who waits for a dump. */
  readonly place: LocalStore
  /** Why the archive that this machine knows is not there, a sentence: what the catalog lists of it can't be opened. */
  readonly absent: string | undefined
  /** For reading; brought up to date first where no daemon does that, and the archive is there. */
  catalog(): Promise<Catalog>
  /** Brings the rows of these dumps in line with the archive, where we may write the catalog. */
  refresh(dumps: readonly DumpRef[]): Promise<void>
}

/**
 * `--config`, then GOCORE_SINK_CONFIG, which the installed program sets; undefined for /etc/gocore-sink.conf. A whole path, since
 * children of the daemon work in other directories.
 */
export function configPath(args: GlobalArgs): string | undefined {
  const path = args.config ?? (process.env.GOCORE_SINK_CONFIG || undefined)
  return path && resolve(path)
}

/** The configuration, with `--archive` over it. */
export function openConfig(args: GlobalArgs): Config {
  const config = loadConfig(configPath(args))
  if (args.archive === '') throw new UsageError('--archive takes a directory.')
  // Whole: whoever analyses a dump may read below this directory, and nothing else.
  return args.archive === undefined ? config : { ...config, archive: resolve(args.archive) }
}

/** For who lists crashes: of an archive that is not there the catalog knows what was there, and the latest are in the spool. */
export function noteAbsence({ absent, config }: Pick<Site, 'absent' | 'config'>): void {
  if (absent === undefined) return
  const spool = spoolRoot(config)
  const waiting = countOf(spool)
  const more = waiting === 0 ? '' : `; later ones wait in the spool: gocore-sink ls --archive ${spool}`
  process.stderr.write(`(${absent}: this is what the catalog knows${more})\n`)
}

/** Dumps in the spool, as far as we may look. */
function countOf(spool: string): number {
  try {
    const store = openLocalStore(spool)
    return [...store.days()].reduce((sum, day) => sum + store.ids(day).length, 0)
  } catch {
    return 0
  }
}

export function openSite(args: GlobalArgs): Site {
  const config = openConfig(args)
  // A catalog belongs to one archive: another one's rows don't go into the machine's own.
  const foreign =
    args.archive !== undefined && config.archive !== openConfig({ ...args, archive: undefined }).archive
  let store: LocalStore | undefined
  let absent: { why: string | undefined } | undefined
  let catalog: Promise<Catalog> | undefined
  return {
    config,
    foreign,
    get place() {
      store ??= openLocalStore(config.archive, { group: config.group, userAccess: config.userAccess })
      return store
    },
    get absent() {
      absent ??= { why: whyAbsent(config.state, config.archive) }
      return absent.why
    },
    get store() {
      if (this.absent === undefined) return this.place
      throw new ArchiveError(
        `${this.absent}. Mount it; or remove ${knownFile(config.state)} where the archive is to begin anew.`,
      )
    },
    catalog() {
      catalog ??= import('./catalog-access.ts').then(({ openAsItIs, openForReading }) =>
        this.absent === undefined ? openForReading(this) : (openAsItIs(this) ?? openForReading(this)),
      )
      return catalog
    },
    async refresh(dumps) {
      const { refreshRows } = await import('./catalog-access.ts')
      await refreshRows(this, dumps)
    },
    [Symbol.dispose]() {
      catalog?.then(
        open => open.close(),
        () => {},
      )
    },
  }
}
