/**
 * Puts an encrypted core in the place of a plain one: written beside it, synced, read back and compared; then the manifest
 * names it, and only then the plain one goes. Whenever this is cut, one of the two is there whole.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, fsyncSync, lstatSync, rmSync, statfsSync } from 'node:fs'
import { isFile } from '../archive/files.ts'
import type { LocalStore, Manifest } from '../archive/index.ts'
import {
  coreFile,
  encryptedFile,
  encryptedPartFile,
  miniFile,
  miniPartFile,
  partFile,
} from '../archive/layout.ts'
import type { DumpRef } from '../archive/store.ts'
import { createFile, syncDirectory, writeAll } from '../base/atomic-file.ts'
import { ArchiveError } from '../base/errors.ts'
import { hashSteps } from '../source/index.ts'
import { accountFor } from './account.ts'
import { childProgram, confinedCommand, confinedEnvironment } from './confine.ts'
import type { EncryptionJob } from './encryption-job.ts'
import { nameCore } from './name-core.ts'
import { type ChildEnd, runChild } from './run-child.ts'
import { takeTurns } from './steps.ts'

/** Whether this dump's core lies there as it came. */
export const isPlain = ({ core }: Manifest): boolean => core.state !== 'none' && core.encrypted === undefined

/** All names under which the memory lies there as it was, whole or in part. */
const plainFiles = [coreFile, miniFile, partFile, miniPartFile]

/** Whether an encrypted dump still has some of it: somebody was cut who encrypted or shrank it. */
export const hasPlainRest = (store: LocalStore, ref: DumpRef, { core }: Manifest): boolean =>
  core.encrypted !== undefined && plainFiles.some(name => isFile(store.layout.file(ref, name)))

export interface EncryptOptions {
  readonly recipients: readonly string[]
  /** Whom a daemon that is root encrypts as. */
  readonly user: string
  readonly signal?: AbortSignal | undefined
  /** False once somebody else has taken the dump over: nothing is changed then. */
  readonly isHeld?: () => boolean
}

/**
 * Encrypts the core of a dump, which the caller has a lease on; false where there is nothing to encrypt. What another
 * attempt left is begun again. Throws where the archive can't be written or a public key is none; the plain core is then
 * as it was.
 */
export async function encryptDump(
  store: LocalStore,
  ref: DumpRef,
  options: EncryptOptions,
): Promise<boolean> {
  const { recipients } = options
  const manifest = store.readManifest(ref)
  const at = (name: string): string => store.layout.file(ref, name)
  if (manifest.core.encrypted !== undefined) {
    dropPlain(store, ref)
    return false
  }
  const plain = manifest.core.shrunk === undefined ? coreFile : miniFile
  if (!isPlain(manifest) || !isFile(at(plain))) return false
  for (const name of [encryptedPartFile, encryptedFile]) rmSync(at(name), { force: true })
  requireRoom(at(plain), recipients.length)
  const rights = store.rights.forCrash(manifest)
  const to = createFile(at(encryptedPartFile), rights.file)
  try {
    const { size, sha256 } = await encryptInto(to, at(plain), options)
    if (fstatSync(to).size !== size || (await takeTurns(hashSteps(to))) !== sha256)
      throw new ArchiveError(`${at(encryptedPartFile)} does not read back as it was written`)
    if (options.isHeld?.() === false) throw new ArchiveError('another daemon has taken it over')
    const encrypted = { to: recipients, sha256, time: new Date().toISOString() }
    nameCore(store, ref, { part: encryptedPartFile, file: encryptedFile }, core => ({
      ...core,
      stored_size: size,
      encrypted,
    }))
  } catch (error) {
    if (options.isHeld?.() !== false) rmSync(at(encryptedPartFile), { force: true })
    throw error
  } finally {
    closeSync(to)
  }
  dropPlain(store, ref)
  return true
}

/** Of the child: Node takes 60 MB, and a file is encrypted in chunks of 64 KiB. */
const memory = 384 << 20
/** Seconds for a child to start, and bytes a second at the very least; the slowest machine does fifty times as many. */
const patience = { start: 60, rate: 1 << 20 }
/** Chunks of 64 KiB grow by 16 bytes each; a recipient takes up to 3 KB of the header. */
const mostOutput = (size: number, recipients: number): number =>
  Math.ceil(size * 1.001) + 4096 * (1 + recipients)

/** For crashes that come meanwhile. */
const leftFree = 1 << 20

/** Both cores are there for a while. To try without would fill the archive each time, and cut what crashes then. */
function requireRoom(core: string, recipients: number): void {
  const most = mostOutput(lstatSync(core).size, recipients)
  const { bavail, bsize, blocks } = statfsSync(core)
  // Some file systems do not say.
  if (blocks > 0 && most + leftFree > bavail * bsize)
    throw new ArchiveError(`the encrypted one takes up to ${most} bytes, which the archive does not have`)
}

/** Has a confined child encrypt the core, and writes what it answers; answers size and SHA-256 of that. */
async function encryptInto(
  to: number,
  core: string,
  { recipients, user, signal }: EncryptOptions,
): Promise<{ size: number; sha256: string }> {
  const length = lstatSync(core).size
  const seconds = patience.start + length / patience.rate
  const job: EncryptionJob = { core, recipients, become: accountFor(user) }
  const program = childProgram('encrypt')
  const hash = createHash('sha256')
  let size = 0
  const end = await runChild({
    command: confinedCommand({ memory, seconds: 4 * seconds }, [core], program),
    env: confinedEnvironment,
    input: JSON.stringify(job),
    timeoutMs: seconds * 1000,
    memory,
    output: mostOutput(length, recipients.length),
    onOutput: piece => {
      writeAll(to, piece)
      hash.update(piece)
      size += piece.length
    },
    signal,
  })
  const problem = problemOf(end)
  if (problem !== undefined) throw problem
  fsyncSync(to)
  return { size, sha256: hash.digest('hex') }
}

function problemOf(end: ChildEnd): unknown {
  if (end.kind === 'refused') return end.cause
  if (end.kind === 'exit' && end.status === 0) return undefined
  const said = 'error' in end ? end.error.trim().split('\n').at(-1)!.slice(0, 500) : ''
  const how = end.kind === 'exit' ? `status ${end.status}` : end.kind === 'signal' ? end.signal : end.kind
  return new ArchiveError(said === '' ? `the encryption ended: ${how}` : said)
}

/** The manifest names the encrypted core: the plain one is what a cut attempt left. */
function dropPlain(store: LocalStore, ref: DumpRef): void {
  if (!isFile(store.layout.file(ref, encryptedFile))) return
  for (const name of plainFiles) rmSync(store.layout.file(ref, name), { force: true })
  syncDirectory(store.layout.dump(ref))
}
