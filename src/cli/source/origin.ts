/** What a dead program says of its own source: which modules of which versions, which Go, which commit. */
import type { Process, Report } from '../../engine/index.ts'

export interface SourceOrigin {
  /** Import path to version, replacements applied; the main module has none where it was built from a checkout. */
  readonly modules: readonly { readonly path: string; readonly version?: string }[]
  readonly mainModule?: string
  /** `go1.26.8`. */
  readonly goVersion?: string
  /** Commit that `go build` found the main module at. */
  readonly revision?: string
  /** The checkout had changes that no commit has. */
  readonly modified: boolean
  /** Milliseconds since the epoch: source that was changed later is not what ran. */
  readonly diedAt?: number
}

export const unknownOrigin: SourceOrigin = { modules: [], modified: false }

/** `diedAt` in milliseconds since the epoch, where it is known. */
export function sourceOrigin({ runtime }: Pick<Process, 'runtime'>, diedAt?: number): SourceOrigin {
  return originOf(runtime?.buildInfo, diedAt)
}

/** The same from a report. */
export function reportOrigin(go: Report['go'], diedAt?: number): SourceOrigin {
  if (!go) return originOf(undefined, diedAt)
  const { version, main, modules = [], settings = {} } = go
  return originOf({ goVersion: version, ...(main ? { main } : {}), deps: modules, settings }, diedAt)
}

type BuildInfo = NonNullable<NonNullable<Process['runtime']>['buildInfo']>

function originOf(info: BuildInfo | undefined, diedAt: number | undefined): SourceOrigin {
  const time = diedAt === undefined ? {} : { diedAt }
  if (!info) return { ...unknownOrigin, ...time }
  const modules = [...(info.main ? [info.main] : []), ...info.deps].map(({ path, version, replace }) => {
    // A replaced module's files have the paths of what replaces it.
    const used = replace?.version ? replace : { path, version }
    return { path: used.path, ...(used.version ? { version: used.version } : {}) }
  })
  const revision = info.settings['vcs.revision']
  return {
    modules,
    ...(info.main ? { mainModule: info.main.path } : {}),
    goVersion: info.goVersion.split(' ')[0]!,
    ...(revision !== undefined && /^[0-9a-f]{7,64}$/.test(revision) ? { revision } : {}),
    modified: info.settings['vcs.modified'] === 'true',
    ...time,
  }
}
