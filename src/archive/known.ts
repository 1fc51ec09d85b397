/**
 * Whether an archive that looks new is one: `StateDirectory/archive.json` has where the archive was when a daemon last opened it,
 * and on which mount. A network file system that is not mounted (yet) leaves an empty directory, or none; what were stored there
 * would lie hidden beneath the mount, so handlers take the spool, and a daemon does not begin.
 */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { formatFile } from './layout.ts'

interface Known {
  readonly root: string
  /** Directory that its file system is mounted on. */
  readonly mount: string
}

export const knownFile = (state: string): string => join(state, 'archive.json')

/** Notes that the archive is there, where there is a StateDirectory. Throws where the note can't be written. */
export function rememberArchive(state: string, root: string): void {
  if (!existsSync(state)) return
  const known: Known = { root, mount: mountOf(root) }
  const before = readKnown(state)
  if (before?.root === known.root && before.mount === known.mount) return
  writeFileAtomic(knownFile(state), `${JSON.stringify(known)}\n`, { mode: 0o644 })
}

/** Why the archive at `root` is not to be begun, a sentence; undefined where it is there, or was never. */
export function whyAbsent(state: string, root: string): string | undefined {
  if (lstatSync(join(root, formatFile), { throwIfNoEntry: false }) !== undefined) return undefined
  const known = readKnown(state)
  if (known?.root !== root) return undefined
  return isMounted(known.mount)
    ? `${root} has no ${formatFile} any more: it was moved or emptied`
    : `${known.mount} is not mounted`
}

/** The same for one who may begin an archive anew that was emptied: only one that is not mounted is absent then. */
export function whyNotMounted(state: string, root: string): string | undefined {
  if (lstatSync(join(root, formatFile), { throwIfNoEntry: false }) !== undefined) return undefined
  const known = readKnown(state)
  if (known?.root !== root || isMounted(known.mount)) return undefined
  return `${known.mount} is not mounted. Mount it; or remove ${knownFile(state)} where the archive is to begin anew`
}

/**
 * Whether the archive that is known was at `root` and is not there now, mounted or not. For who must not wait for storage:
 * a thread of the pool asks. Rejects where the directory gives an error.
 */
export async function isGone(state: string, root: string): Promise<boolean> {
  try {
    await lstat(join(root, formatFile))
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return parseKnown(await readFile(knownFile(state), 'utf8').catch(() => ''))?.root === root
}

function readKnown(state: string): Known | undefined {
  try {
    return parseKnown(readFileSync(knownFile(state), 'utf8'))
  } catch {
    return undefined
  }
}

function parseKnown(text: string): Known | undefined {
  try {
    const { root, mount } = JSON.parse(text) as Partial<Known>
    return typeof root === 'string' && typeof mount === 'string' ? { root, mount } : undefined
  } catch {
    return undefined
  }
}

/** The nearest directory at or above `path` on which a file system is mounted. */
function mountOf(path: string): string {
  let at = realpathSync(path)
  while (!isMounted(at)) at = dirname(at)
  return at
}

/** Another file system than above it; of a directory that is bound to one of the same file system it can't be told. */
function isMounted(path: string): boolean {
  const own = statSync(path, { throwIfNoEntry: false })
  return own !== undefined && (path === dirname(path) || own.dev !== statSync(dirname(path)).dev)
}
