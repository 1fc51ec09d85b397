/**
 * Opens files for the engine. Whatever a core is packed with, it comes out as a ByteSource: LZ4 is read in place,
 * the rest is unpacked once to a private file without a name.
 */
import { closeSync } from 'node:fs'
import { FormatError, SystemError, UnsupportedError, UsageError } from '../base/errors.ts'
import type { ByteSource } from '../engine/bytes/byte-source.ts'
import { hasIndex, openLz4 } from '../lz4/index.ts'
import { heldIdentities } from './age.ts'
import { type Compression, detectCompression } from './compression.ts'
import { FileSource, openRegular } from './file-source.ts'
import { type Progress, type Unpacked, unpack } from './unpack.ts'

export { encrypt, hashOfFile, hashSteps, readIdentityFile, useIdentities } from './age.ts'
export type { Compression } from './compression.ts'
export { FileSource, openRegular } from './file-source.ts'
export type { Progress } from './unpack.ts'

export interface OpenSource extends ByteSource, Disposable {
  readonly compression: Compression
  /** What is missing of the content, one sentence each. */
  readonly warnings: readonly string[]
  /**
   * Bytes of the core's head of which the file holds a second copy, 0 where it has none; absent where a file can have none.
   * Throws FormatError where that copy is damaged.
   */
  headCopy?(): number
  /** What keeps other programs from unpacking a file that is read by its index; undefined where nothing does. */
  headerDamage?(): string | undefined
}

export interface OpenOptions {
  /** Hears of long unpacking. */
  onProgress?: Progress
  /** Where to unpack; the system's temporary directory otherwise. */
  directory?: string
  /** Bytes of content that are kept in memory. */
  cache?: number
  /** false: the file itself, and nothing that a link in its place leads to. */
  links?: boolean
  /** Reads damaged blocks of LZ4 as far as they can be made out, with a warning, in place of an error. */
  tolerant?: boolean
}

/**
 * Opens a core, or any file, by what its first bytes say: as it is, or packed with LZ4, Zstandard, gzip or xz.
 * @example using core = openCoreFile('core.lz4')
 */
export function openCoreFile(path: string, options: OpenOptions = {}): OpenSource {
  const input = openRegular(path, { links: options.links !== false })
  const file = new FileSource(path, input.fd, input.size, options.cache)
  try {
    const compression = detectCompression((offset, length) => file.read(offset, length))
    // Where the very first bytes are damaged, the last ones tell what the file is.
    if (compression === 'none' && !isElf(file) && hasIndex(file)) {
      const found = lz4InPlace(file, options)
      if (found !== undefined) return withWarning(found, `${path}: the LZ4 frame header is damaged`)
    }
    if (compression === 'none') return plain(file, compression, [])
    if (compression === 'lz4') {
      const inPlace = lz4InPlace(file, options)
      if (inPlace !== undefined) return inPlace
    }
    if (compression === 'age' && heldIdentities().length === 0)
      throw new UsageError(
        `${path} is encrypted: --identity FILE names the file with the secret key, which is not on the machine that crashed.`,
      )
    const unpacked = unpack(path, input, compression, options)
    file[Symbol.dispose]()
    if (compression === 'age') return openDecrypted(path, unpacked, options)
    return plain(
      new FileSource(path, unpacked.fd, unpacked.size, options.cache),
      compression,
      unpacked.warnings,
    )
  } catch (error) {
    closeQuietly(input.fd)
    throw error
  }
}

/** What was encrypted is a core as it was stored before: packed, and read in place. */
function openDecrypted(path: string, { fd, size, warnings }: Unpacked, options: OpenOptions): OpenSource {
  // What does not authenticate is not to be trusted in part.
  if (warnings.length > 0) {
    closeSync(fd)
    throw new SystemError(
      `Cannot decrypt ${path}: ${warnings[0]!.replace(/^age: |; what follows is lost$/g, '')}`,
    )
  }
  const file = new FileSource(path, fd, size, options.cache)
  const compression = detectCompression((offset, length) => file.read(offset, length))
  const opened = compression === 'lz4' ? lz4InPlace(file, options) : plain(file, compression, [])
  if (opened !== undefined) return opened
  throw new UnsupportedError(path, 'what was encrypted is packed in a way that is not read in place')
}

/** Opens a file as it is, or an LZ4 file in place: an executable, a library, a symbol file. */
export const openFile = (path: string, options: OpenOptions = {}): OpenSource => openCoreFile(path, options)

/**
 * Opens what a file holds, unpacked, for who copies all of it; the descriptor is the caller's to close. Throws FormatError
 * where the file is damaged.
 */
export function openUnpacked(path: string): number {
  const input = openRegular(path)
  try {
    const file = new FileSource(path, input.fd, input.size)
    const compression = detectCompression((offset, length) => file.read(offset, length))
    if (compression === 'none') return input.fd
    const { fd, warnings } = unpack(path, input, compression)
    closeSync(input.fd)
    if (warnings[0] === undefined) return fd
    closeSync(fd)
    throw new FormatError({ file: path, section: compression, offset: 0 }, warnings[0])
  } catch (error) {
    closeQuietly(input.fd)
    throw error
  }
}

function plain(file: FileSource, compression: Compression, warnings: readonly string[]): OpenSource {
  return {
    name: file.name,
    size: file.size,
    compression,
    warnings,
    read: (offset, length) => file.read(offset, length),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  }
}

/** Undefined where the blocks depend on one another, so that only decoding in order will do. */
function lz4InPlace(file: FileSource, options: OpenOptions): OpenSource | undefined {
  try {
    const reader = openLz4(file, options)
    return {
      name: file.name,
      size: reader.size,
      compression: 'lz4',
      get warnings() {
        return reader.warnings
      },
      read: (offset, length) => reader.read(offset, length),
      headCopy: () => reader.readHead()?.length ?? 0,
      headerDamage: () => reader.headerDamage(),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    }
  } catch (error) {
    if (error instanceof UnsupportedError && error.message.includes('depend on one another')) return undefined
    throw error
  }
}

/** A core that is not packed may end in anything. */
const isElf = (file: FileSource): boolean => Buffer.from(file.read(0, 4)).equals(elfMagic)
const elfMagic = Buffer.from('\x7fELF', 'latin1')

const withWarning = (source: OpenSource, warning: string): OpenSource => ({
  ...source,
  get warnings() {
    return [warning, ...source.warnings]
  },
})

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // Closed already with the source that owned it.
  }
}
