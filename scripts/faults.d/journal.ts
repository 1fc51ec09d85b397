/** The shim's journal of file calls, and what a disk may hold when the power goes after one of them. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { random } from './fault.ts'

export interface Call {
  /** create, directory, write, truncate, sync, rename, unlink. */
  readonly op: 'c' | 'd' | 'w' | 't' | 's' | 'r' | 'u'
  readonly path: string
  readonly to: string
  readonly offset: number
  readonly data: Buffer
}

export function readJournal(file: string): Call[] {
  const bytes = readFileSync(file)
  const calls: Call[] = []
  for (let at = 0; at + 24 <= bytes.length; ) {
    const [op, a, b, length] = [0, 4, 8, 12].map(offset => bytes.readUInt32LE(at + offset)) as [
      number,
      number,
      number,
      number,
    ]
    const offset = Number(bytes.readBigInt64LE(at + 16))
    at += 24
    const path = bytes.toString('utf8', at, at + a)
    const to = bytes.toString('utf8', at + a, at + a + b)
    calls.push({
      op: String.fromCharCode(op) as Call['op'],
      path,
      to,
      offset,
      data: bytes.subarray(at + a + b, at + a + b + length),
    })
    at += a + b + length
  }
  return calls
}

/**
 * Makes below `target` what a journalling file system may hold of `root` after the first `cut` calls: names in their
 * order up to some moment not before the last sync, as ext4, XFS and btrfs have it; of a file's content what was synced,
 * and of what was not any part, as it was written, as zeros, or not at all.
 */
export function cutPower(calls: readonly Call[], cut: number, root: string, target: string): void {
  const done = calls.slice(0, cut)
  const lastSync = done.findLastIndex(({ op }) => op === 's')
  const named = lastSync + 1 + random(done.length - lastSync)
  /** Where a file's bytes were synced for the last time, by the name that it had then. */
  const synced = new Map<string, number>()
  for (const [i, { op, path }] of done.entries()) if (op === 's') synced.set(path, i)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  const at = (path: string): string => target + path.slice(root.length)
  for (const [i, { op, path, to, offset, data }] of done.entries()) {
    const isName = op !== 'w' && op !== 't'
    if (isName && i >= named) continue
    try {
      if (op === 'd') mkdirSync(at(path), { mode: 0o700 })
      else if (op === 'c') closeSync(openSync(at(path), 'a', 0o600))
      else if (op === 'r') renameSync(at(path), at(to))
      else if (op === 'u') rmSync(at(path), { recursive: true })
      else if (op === 'w' || op === 't') {
        const fate = (synced.get(path) ?? -1) > i ? 0 : random(3)
        if (fate === 2) continue
        const fd = openSync(at(path), 'r+')
        if (op === 't') ftruncateSync(fd, offset)
        else if (fate === 0) writeSync(fd, data, 0, data.length, offset)
        else {
          const part = random(data.length + 1)
          writeSync(fd, Buffer.alloc(data.length), 0, data.length, offset)
          writeSync(fd, data, 0, part, offset)
        }
        closeSync(fd)
      }
    } catch (error) {
      // A file whose name did not last has no content either.
      if (
        (error as NodeJS.ErrnoException).code !== 'ENOENT' &&
        (error as NodeJS.ErrnoException).code !== 'EEXIST'
      )
        throw error
    }
  }
  mkdirSync(dirname(at(root)), { recursive: true })
}
