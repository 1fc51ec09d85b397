/** The configuration, the archive and the catalog that a verb works on, opened as far as it asks for them. */
import { resolve } from 'node:path'
import { type LocalStore, openLocalStore } from '../archive/index.ts'
import type { DumpRef } from '../archive/store.ts'
import { UsageError } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type Config, loadConfig } from '../config/index.ts'
import type { CatalogPlace } from './catalog-access.ts'
import type { GlobalArgs } from './options.ts'

export interface Site extends Disposable, CatalogPlace {
  readonly config: Config
  readonly store: LocalStore
  /** For reading; brought up to date first where no daemon does that. */
  catalog(): Promise<Catalog>
  /** Brings the rows of these dumps in line with the archive, where we may write the catalog. */
  refresh(dumps: readonly DumpRef[]): Promise<void>
}

/** `--config`, then GOCORE_SINK_CONFIG, which the installed program sets; undefined for /etc/gocore-sink.conf. */
export const configPath = (args: GlobalArgs): string | undefined =>
  args.config ?? (process.env.GOCORE_SINK_CONFIG || undefined)

/** The configuration, with `--archive` over it. */
export function openConfig(args: GlobalArgs): Config {
  const config = loadConfig(configPath(args))
  if (args.archive === '') throw new UsageError('--archive takes a directory.')
  // Whole: whoever analyses a dump may read below this directory, and nothing else.
  return args.archive === undefined ? config : { ...config, archive: resolve(args.archive) }
}

export function openSite(args: GlobalArgs): Site {
  const config = openConfig(args)
  // A catalog belongs to one archive: another one's rows don't go into the machine's own.
  const foreign =
    args.archive !== undefined && config.archive !== openConfig({ ...args, archive: undefined }).archive
  let store: LocalStore | undefined
  let catalog: Promise<Catalog> | undefined
  const archive = (): LocalStore => {
    store ??= openLocalStore(config.archive, { group: config.group, userAccess: config.userAccess })
    return store
  }
  return {
    config,
    foreign,
    get store() {
      return archive()
    },
    catalog() {
      catalog ??= import('./catalog-access.ts').then(({ openForReading }) =>
        openForReading({ config, store: archive(), foreign }),
      )
      return catalog
    },
    async refresh(dumps) {
      const { refreshRows } = await import('./catalog-access.ts')
      await refreshRows({ config, store: archive(), foreign }, dumps)
    },
    [Symbol.dispose]() {
      catalog?.then(
        open => open.close(),
        () => {},
      )
    },
  }
}
