/**
 * A bundle: one dump with all that belongs to it, as a tar file. The names in it are those of the archive, so that
 * `tar -x` in an empty directory makes a small archive, which `--archive` reads and `import` takes in.
 */
import { once } from 'node:events'
import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pack as newPack, type Pack } from 'tar-stream'
import { SystemError } from '../base/errors.ts'
import { openForReading } from '../base/regular-file.ts'
import type { Progress } from './render/progress.ts'
import type { Target } from './target.ts'

const piece = 1024 * 1024

/** Writes the tar file through `write`; answers its length. */
export async function writeBundle(
  target: Target,
  write: (bytes: Uint8Array) => void,
  progress: Progress,
): Promise<number> {
  const pack = newPack()
  let written = 0
  const drained = (async () => {
    for await (const bytes of Readable.from(pack as AsyncIterable<Uint8Array>)) {
      write(bytes)
      written += bytes.length
    }
  })()
  const files = target.files()
  const total = files.reduce((sum, { path }) => sum + lstatSync(path).size, 0)
  let done = 0
  const add = async (): Promise<void> => {
    for (const { name, path } of files)
      await addFile(pack, name, path, bytes => {
        done += bytes
        progress.update(done, total)
      })
    pack.finalize()
  }
  await Promise.all([add().catch(error => pack.destroy(error as Error)), drained])
  return written
}

async function addFile(pack: Pack, name: string, path: string, onBytes: (n: number) => void): Promise<void> {
  const fd = openForReading(path)
  try {
    const { size, mtime } = fstatSync(fd)
    const entry = pack.entry({ name, size, mode: 0o600, mtime })
    for (let at = 0; at < size; ) {
      const bytes = Buffer.allocUnsafe(Math.min(piece, size - at))
      const got = readSync(fd, bytes, 0, bytes.length, at)
      if (got === 0) throw new SystemError(`${path} became shorter while it was read.`)
      if (!entry.write(bytes.subarray(0, got))) await once(entry, 'drain')
      at += got
      onBytes(got)
    }
    entry.end(undefined)
  } finally {
    closeSync(fd)
  }
}
