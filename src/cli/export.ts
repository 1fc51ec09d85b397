/** Writing what the archive holds to ordinary files: the raw core, the executable, a bundle of everything. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { writeAll as writeFully } from '../base/atomic-file.ts'
import { NotFoundError, reasonOf, SystemError } from '../base/errors.ts'
import type { ByteSource } from '../engine/bytes/byte-source.ts'
import { openCoreFile, openFile } from '../source/index.ts'
import { hasOwnLink, isForeign } from './foreign-link.ts'
import { Exit } from './render/exit.ts'
import { writeAll } from './render/output.ts'
import { startProgress } from './render/progress.ts'
import { formatSize } from './render/units.ts'
import type { Target } from './target.ts'

export interface ExportOptions {
  readonly output: string | undefined
  readonly force: boolean
}

/** The core as the kernel wrote it. Answers what was done, for standard error; nothing when it went to a pipe. */
export async function exportCore(target: Target, options: ExportOptions): Promise<string | undefined> {
  if (target.corePath === undefined) throw new NotFoundError(`${target.label} has no core to export.`)
  // What is damaged is written as far as it can be made out, zeros where it can't, and told of.
  using core = openCoreFile(target.corePath, { tolerant: true })
  const written = await writeOut(core, `core.${shortName(target)}`, options)
  for (const warning of core.warnings) process.stderr.write(`gocore-sink: ${warning}\n`)
  if (core.warnings.length > 0) process.exitCode = Exit.unreadable
  return written
}

/** The executable as it was stored beside the dump. */
export async function exportBinary(target: Target, options: ExportOptions): Promise<string | undefined> {
  const path = await target.executablePath()
  if (path === undefined)
    throw new NotFoundError(
      `The executable of ${target.label} is neither in the archive nor on this machine.`,
    )
  using binary = openFile(path)
  return await writeOut(binary, `binary.${shortName(target)}`, { ...options, mode: 0o700 })
}

/** Manifest, report, core, executable and libraries in a tar file, with the names that they have in the archive. */
export async function exportBundle(target: Target, options: ExportOptions): Promise<string | undefined> {
  if (target.id === undefined)
    throw new NotFoundError('Only a dump of the archive can be bundled; import the core file first.')
  const { writeBundle } = await import('./bundle.ts')
  return withOutput(`gocore-${target.id}.tar`, { ...options, mode: 0o600 }, async fd => {
    using progress = startProgress(`bundling ${target.label}`)
    return await writeBundle(target, bytes => writeAll(fd, bytes), progress)
  })
}

/** The short id that people type; for a file, just that it is one. */
const shortName = (target: Target): string => target.id?.slice(0, 6) ?? 'raw'

interface OutputOptions extends ExportOptions {
  readonly mode?: number
}

function writeOut(source: ByteSource, name: string, options: OutputOptions): Promise<string | undefined> {
  return withOutput(name, options, async fd => {
    using progress = startProgress(`writing ${options.output ?? name}`)
    copy(source, fd, (done, total) => progress.update(done, total))
    return source.size
  })
}

async function withOutput(
  name: string,
  { output, force, mode = 0o600 }: OutputOptions,
  write: (fd: number) => Promise<number>,
): Promise<string | undefined> {
  if (output === '-') {
    if (process.stdout.isTTY)
      throw new SystemError('Refused to write binary data to a terminal; -o FILE names a file.')
    await write(1)
    return undefined
  }
  const isDirectory = output !== undefined && statSync(output, { throwIfNoEntry: false })?.isDirectory()
  if (isDirectory && !force) hasOwnLink(resolve(output), followedByForce)
  const path = output === undefined ? name : isDirectory ? join(output, name) : output
  const { fd, finish, discard } = openOutput(path, force, mode)
  try {
    const size = await write(fd)
    finish()
    return `Wrote ${path}, ${formatSize(size)}.`
  } catch (error) {
    discard()
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) throw error
    throw new SystemError(`Could not write ${path}: ${reasonOf(error)}; nothing was left behind.`, {
      cause: error,
    })
  } finally {
    closeSync(fd)
  }
}

/** Written beside its name and renamed, so that an export that is stopped never looks like one that is whole. */
function openOutput(
  path: string,
  force: boolean,
  mode: number,
): { fd: number; finish: () => void; discard: () => void } {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const links = force || hasOwnLink(path, followedByForce)
  const existing = statSync(path, { throwIfNoEntry: false })
  if (existing?.isFile() && !force) throw new SystemError(`${path} exists already; --force replaces it.`)
  const inPlace = existing !== undefined && !existing.isFile()
  // A link stays one, above all /dev/stdout where that is a file.
  const place = existing?.isFile() ? realpathSync(path) : path
  const partial = `${place}.partial`
  try {
    if (inPlace) return { fd: openInPlace(path, { force, links }), finish: () => {}, discard: () => {} }
    // What an export that was killed left, or somebody else put there to be written into.
    rmSync(partial, { force: true })
    return {
      fd: openSync(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode),
      finish: () => renameSync(partial, place),
      discard: () => unlinkSync(partial),
    }
  } catch (error) {
    if (error instanceof SystemError) throw error
    throw new SystemError(`Cannot write ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

const followedByForce = '; --force follows it'

/** Of <fcntl.h>, which node:fs has not: a file is held and nothing of it opened, so that no FIFO waits for its other end. */
const O_PATH = 0o10_000_000

/** Devices and FIFOs are written as they are; nothing of theirs is replaced. What is looked at is what is opened. */
function openInPlace(path: string, { force, links }: { force: boolean; links: boolean }): number {
  const held = openSync(path, links ? O_PATH : O_PATH | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(held)
    const itself = `/proc/self/fd/${held}`
    if (stat.isFile()) throw new SystemError(`${path} has become a file.`)
    // A pipe has no name and was given by the caller, as /dev/stdout; under sudo it is the user's.
    const named = stat.isFIFO() && !readlinkSync(itself).startsWith('pipe:')
    if (!force && named && isForeign(stat.uid))
      throw new SystemError(`${path} is a FIFO of user ${stat.uid}'s; --force writes into it.`)
    return openSync(itself, constants.O_WRONLY)
  } finally {
    closeSync(held)
  }
}

const piece = 1024 * 1024
const page = 4096
const zeros = Buffer.alloc(page)

/** Copies a source; into a regular file, pages of zeros become holes. */
export function copy(
  source: ByteSource,
  fd: number,
  onProgress: (done: number, total: number) => void,
): void {
  const sparse = fstatSync(fd).isFile() && fd !== 1
  for (let at = 0; at < source.size; ) {
    const bytes = source.read(at, Math.min(piece, source.size - at))
    if (bytes.length === 0) throw new SystemError(`${source.name} ends at byte ${at} of ${source.size}.`)
    if (sparse) writeSparse(fd, bytes, at)
    else writeAll(fd, bytes)
    at += bytes.length
    onProgress(at, source.size)
  }
  // A hole at the end needs the length said.
  if (sparse) ftruncateSync(fd, source.size)
}

function writeSparse(fd: number, bytes: Uint8Array, offset: number): void {
  let from = -1
  for (let at = 0; at < bytes.length; at += page) {
    const part = bytes.subarray(at, at + page)
    const empty = Buffer.compare(part, part.length === page ? zeros : zeros.subarray(0, part.length)) === 0
    if (!empty && from < 0) from = at
    if (empty && from >= 0) {
      writeFully(fd, bytes.subarray(from, at), offset + from)
      from = -1
    }
  }
  if (from >= 0) writeFully(fd, bytes.subarray(from), offset + from)
}
