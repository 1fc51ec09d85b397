/** Where a source file that a program names may lie on this machine, best first. */
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import { type SourceOrigin, unknownOrigin } from './origin.ts'

/** `--source-map FROM=TO`: paths that begin with FROM are looked for at TO. */
export interface SourceMapping {
  readonly from: string
  readonly to: string
}

/** Throws UsageError. */
export function parseSourceMap(text: string, option: string): SourceMapping {
  const at = text.indexOf('=')
  if (at < 0 || at === text.length - 1)
    throw new UsageError(`${option} takes FROM=TO, not ${JSON.stringify(text)}.`)
  return { from: text.slice(0, at).replace(/\/+$/, ''), to: text.slice(at + 1) }
}

export interface CandidateOptions {
  readonly mappings?: readonly SourceMapping[]
  /** Directories below which the file is looked for, with as much of its path as fits. */
  readonly dirs?: readonly string[]
  readonly origin?: SourceOrigin
  readonly env?: NodeJS.ProcessEnv
}

/**
 * The mapped places; the path itself; below each directory; then the module cache and the toolchain that the path names,
 * by the names that -trimpath leaves (`golang.org/x/net@v0.1.0/http2/frame.go`, `runtime/proc.go`) or those of the
 * machine where it was built (`/root/go/pkg/mod/…`, `/usr/local/go/src/…`).
 */
export function candidates(file: string, options: CandidateOptions = {}): string[] {
  const { mappings = [], dirs = [], origin = unknownOrigin, env = process.env } = options
  const parts = file.split('/').filter(part => part !== '' && part !== '.' && part !== '..')
  const clean = `${file.startsWith('/') ? '/' : ''}${parts.join('/')}`
  const places: string[] = []
  for (const { from, to } of mappings)
    if (clean === from || clean.startsWith(`${from}/`) || from === '')
      places.push(join(to, clean.slice(from.length).replace(/^\/+/, '')))
  if (file.startsWith('/') && !isOtherGo(clean, origin)) places.push(clean)
  for (const dir of dirs) for (let i = 0; i < parts.length; i++) places.push(join(dir, ...parts.slice(i)))
  const cache = moduleCache(env)
  const inCache = clean.startsWith('/') ? behind(clean, '/pkg/mod/') : clean
  if (inCache !== undefined) places.push(join(cache, inCache), join(cache, escapedModule(inCache)))
  // A main module that was installed by its version (`go install path@version`) is in the cache, too.
  for (const { path, version } of origin.modules)
    if (version !== undefined && !clean.startsWith('/') && clean.startsWith(`${path}/`))
      places.push(join(cache, `${escapedPath(path)}@${version}`, clean.slice(path.length + 1)))
  const inGoroot = clean.startsWith('/') ? behind(clean, '/src/') : clean
  if (inGoroot !== undefined)
    for (const root of goroots(origin, env, cache)) places.push(join(root, 'src', inGoroot))
  return [...new Set(places)]
}

const maxVersionFile = 4096

export function moduleCache(env: NodeJS.ProcessEnv): string {
  const gopath = env.GOPATH?.split(':')[0] || join(env.HOME || homedir(), 'go')
  return env.GOMODCACHE || join(gopath, 'pkg/mod')
}

/** Go installations of the very version that built the program; of any, where it is not known. */
function goroots({ goVersion }: SourceOrigin, env: NodeJS.ProcessEnv, cache: string): string[] {
  const places = [env.GOROOT, '/usr/local/go', '/usr/lib/go', '/usr/lib/golang'].filter(
    root => root !== undefined,
  )
  if (goVersion === undefined) return places
  if (!/^go[\w.]+$/.test(goVersion)) return []
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const fetched = join(cache, 'golang.org', `toolchain@v0.0.1-${goVersion}.linux-${arch}`)
  const sdk = join(env.HOME || homedir(), 'sdk', goVersion)
  return [...places.filter(root => versionIn(root) === goVersion), fetched, sdk]
}

/** Whether the path is in a Go installation here, and that is of another version than the one that built the program. */
function isOtherGo(path: string, { goVersion }: SourceOrigin): boolean {
  const at = path.lastIndexOf('/src/')
  const version = at <= 0 || goVersion === undefined ? undefined : versionIn(path.slice(0, at))
  return version !== undefined && version !== goVersion
}

function versionIn(root: string): string | undefined {
  const file = join(root, 'VERSION')
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (!stat?.isFile() || stat.size > maxVersionFile) return undefined
    const [first] = readFileSync(file, 'utf8').split('\n')
    return first?.startsWith('go1') ? first : undefined
  } catch {
    return undefined
  }
}

function behind(path: string, marker: string): string | undefined {
  const at = path.lastIndexOf(marker)
  return at < 0 ? undefined : path.slice(at + marker.length)
}

/** Only the path has capitals escaped, not the file's name behind the version (golang.org/ref/mod#module-cache). */
function escapedModule(path: string): string {
  const at = path.indexOf('@')
  return at < 0 ? path : escapedPath(path.slice(0, at)) + path.slice(at)
}

const escapedPath = (path: string): string => path.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`)
