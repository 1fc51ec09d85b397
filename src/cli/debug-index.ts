/**
 * Where indexes of debug information are kept: beside a stored binary where we may write there, else in a cache of the
 * user's own. A cache must never be in the way: what cannot be read or written is done without.
 */
import { createHash } from 'node:crypto'
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { binaryFile, binaryInfoFile } from '../archive/layout.ts'
import { type Access, createFile, writeAll } from '../base/atomic-file.ts'
import { makePath } from '../base/directory.ts'
import { openForReading } from '../base/regular-file.ts'
import type { IndexCache } from '../engine/index.ts'

/** `debug-index-…` beside `binary`: goes with it when it is removed. */
const prefix = 'debug-index-'
/** Index and blocks of one program are a third of its compressed debug information, or so. */
const maxBytes = 1 << 29
const maxKept = 128

/** `path`: of the file on this machine whose debug information it is. */
export function indexCache(path: string | undefined, env: NodeJS.ProcessEnv = process.env): IndexCache {
  const beside = path === undefined ? undefined : besideBinary(path)
  const own = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'gocore-sink/debug-index')
  return {
    read(fingerprint) {
      const name = nameOf(fingerprint)
      return (
        (beside && readWhole(join(beside.directory, name), beside.owner)) ??
        readWhole(join(own, name), ownId())
      )
    },
    write(fingerprint, pieces) {
      const name = nameOf(fingerprint)
      if (beside && tryWrite(join(beside.directory, name), pieces, beside.access)) return
      try {
        makePath(own, 0o700)
        prune(own)
      } catch {
        return
      }
      tryWrite(join(own, name), pieces, { mode: 0o600 })
    },
  }
}

function nameOf(fingerprint: string): string {
  return prefix + createHash('sha256').update(fingerprint).digest('hex').slice(0, 32)
}

/** The directory of a stored binary, with the rights that it gave the binary itself. */
function besideBinary(path: string): { directory: string; owner: number; access: Access } | undefined {
  const directory = dirname(path)
  if (basename(path) !== binaryFile) return undefined
  try {
    const { mode, gid, uid } = statSync(path)
    statSync(join(directory, binaryInfoFile))
    return { directory, owner: uid, access: { mode: mode & 0o666, gid } }
  } catch {
    return undefined
  }
}

/** Only what we wrote, or who owns the binary did: in a shared directory a file may be anyone's. */
function readWhole(path: string, owner: number): Uint8Array | undefined {
  let fd: number | undefined
  try {
    fd = openForReading(path)
    const { size, uid } = fstatSync(fd)
    if (size > maxBytes || (uid !== owner && uid !== ownId())) return undefined
    const bytes = new Uint8Array(size)
    let done = 0
    for (let got = 1; got > 0 && done < size; done += got) got = readSync(fd, bytes, done, size - done, done)
    return done === size ? bytes : undefined
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function tryWrite(path: string, pieces: Iterable<Uint8Array>, access: Access): boolean {
  let temporary: string | undefined
  try {
    accessSync(dirname(path), constants.W_OK)
    // Without fsync: what a loss of power tears is known by its checksums, and nobody waits for a disk.
    temporary = `${path}.${process.pid}.tmp`
    const fd = createFile(temporary, access)
    try {
      for (const bytes of pieces) writeAll(fd, bytes)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
    return true
  } catch {
    if (temporary !== undefined) rmSync(temporary, { force: true })
    return false
  }
}

/** The oldest go, by number and by size. */
function prune(directory: string): void {
  const kept = readdirSync(directory)
    .filter(name => name.startsWith(prefix))
    .map(name => ({ name, stat: statSync(join(directory, name), { throwIfNoEntry: false }) }))
    .sort((a, b) => (b.stat?.mtimeMs ?? 0) - (a.stat?.mtimeMs ?? 0))
  let total = 0
  kept.forEach(({ name, stat }, i) => {
    total += stat?.size ?? 0
    if (i >= maxKept || total > maxBytes) rmSync(join(directory, name), { force: true })
  })
}

function ownId(): number {
  return process.getuid?.() ?? 0
}
