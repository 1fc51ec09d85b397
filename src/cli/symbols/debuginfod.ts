/**
 * A client of debuginfod: a server that has debug information by build id (elfutils, debuginfod(8)). What it sends goes
 * to a cache of the user's own, and is looked at like any file: its build id must be the one that was asked for.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, normalize } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { makePath } from '../../base/directory.ts'
import { SystemError, UsageError } from '../../base/errors.ts'

export type Kind = 'debuginfo' | 'executable' | { readonly source: string }

export interface DebuginfodOptions {
  /** Directory; `gocore-sink/debuginfod` in XDG_CACHE_HOME or ~/.cache without it. */
  readonly cache?: string
  /** Milliseconds until the first byte, and between two. */
  readonly timeout?: number
  readonly maxBytes?: number
  /** Hears of bytes that came. */
  readonly onProgress?: (done: number, of: number | undefined) => void
}

const defaultTimeout = 30_000
/** The largest debug information that is shipped is that of browsers: some 4 GB. */
const defaultMaxBytes = 8 * 1024 ** 3
/** What a server did not have is not asked for again for so long, as debuginfod's own client does. */
const missFor = 10 * 60_000

export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text)

/** The path of a file in the cache; undefined where the server has none. Throws SystemError where it can't be asked. */
export async function fetchByBuildId(
  server: string,
  buildId: string,
  kind: Kind,
  options: DebuginfodOptions = {},
): Promise<string | undefined> {
  if (!/^[0-9a-f]{8,128}$/.test(buildId)) return undefined
  const cache = options.cache ?? cacheDirectory(process.env)
  const folder = join(cache, buildId)
  const name =
    typeof kind === 'string' ? kind : `source-${createHash('sha256').update(kind.source).digest('hex')}`
  const kept = join(folder, name)
  const known = statSync(kept, { throwIfNoEntry: false })
  if (known?.isFile() && known.size > 0) return kept
  // An empty file stands for what the server did not have.
  if (known && Date.now() - known.mtimeMs < missFor) return undefined
  makePath(folder, 0o700)
  const partial = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    const there = await download(addressOf(server, buildId, kind), partial, options)
    if (!there) await pipeline(Readable.from([]), createWriteStream(partial, { mode: 0o600 }))
    renameSync(partial, kept)
    return there ? kept : undefined
  } finally {
    rmSync(partial, { force: true })
  }
}

export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'gocore-sink/debuginfod')
}

function addressOf(server: string, buildId: string, kind: Kind): URL {
  try {
    const place = typeof kind === 'string' ? kind : `source/${sourcePath(kind.source)}`
    return new URL(`${server.replace(/\/+$/, '')}/buildid/${buildId}/${place}`)
  } catch {
    throw new UsageError(`${server} is no address of a debuginfod server.`)
  }
}

/** As debuginfod(8) has it, without `..`: a name out of a dump must not lead to another part of the server. */
const sourcePath = (name: string): string =>
  normalize(`/${name}`).split('/').map(encodeURIComponent).join('/')

/** Whether the server had it. */
async function download(url: URL, path: string, options: DebuginfodOptions): Promise<boolean> {
  const { timeout = defaultTimeout, maxBytes = defaultMaxBytes } = options
  const silence = new AbortController()
  const wait = (): NodeJS.Timeout =>
    setTimeout(() => silence.abort(new Error('it did not answer in time')), timeout)
  let timer = wait()
  try {
    const response = await fetch(url, {
      signal: silence.signal,
      headers: { 'User-Agent': 'gocore-sink' },
      redirect: 'follow',
    })
    if (response.status === 404) return false
    if (!response.ok || !response.body)
      throw new Error(`it answered ${response.status} ${response.statusText}`)
    const length = Number(response.headers.get('content-length')) || undefined
    let done = 0
    const counted = new Transform({
      transform(chunk: Buffer, _, next) {
        clearTimeout(timer)
        timer = wait()
        done += chunk.length
        options.onProgress?.(done, length)
        next(done > maxBytes ? new Error(`it sends more than ${maxBytes} bytes`) : null, chunk)
      },
    })
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
    // fetch undoes Content-Encoding; X-DEBUGINFOD-FILE names may still be packed, which openFile sees to.
    await pipeline(body, counted, createWriteStream(path, { mode: 0o600, flags: 'wx' }), {
      signal: silence.signal,
    })
    if (length !== undefined && done < length && !response.headers.get('content-encoding'))
      throw new Error(`it sent ${done} of ${length} bytes`)
    return done > 0
  } catch (error) {
    const reason = silence.signal.aborted ? silence.signal.reason : error
    throw new SystemError(`Could not fetch ${url.href}: ${(rootOf(reason) as Error).message}`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}

/** fetch's own message is only `fetch failed`. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootOf(error.cause) : error
}
