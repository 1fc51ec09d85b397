/**
 * Files encrypted to public keys: the age format (age-encryption.org/v1; C2SP age.md), by its own library. A file is a
 * header with the file key for each recipient, and chunks of 64 KiB with ChaCha20-Poly1305, each authenticated, so that
 * a change or a cut anywhere is noticed. Who writes needs no secret, and can't read what was written.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { SystemError, UsageError } from '../base/errors.ts'
import { runThrough, type Steps } from '../base/steps.ts'
import { forgoDumps } from '../base/undumped.ts'

/** The first line of each such file. */
export const ageMagic = 'age-encryption.org/v1\n'

/** The encrypted pieces of what `fd` holds. Throws where a recipient is none. */
export async function encrypt(recipients: readonly string[], fd: number): Promise<AsyncIterable<Uint8Array>> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return (await encrypter.encrypt(streamOf(fd) as never)) as unknown as AsyncIterable<Uint8Array>
}

/** The pieces of the content behind `fd`. Throws where no identity fits or the file is not what was written. */
export async function* decrypt(identities: readonly string[], fd: number): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  const plain = await decrypter.decrypt(streamOf(fd) as never)
  yield* plain as unknown as AsyncIterable<Uint8Array>
}

const streamOf = (fd: number): ReadableStream =>
  Readable.toWeb(createReadStream('', { fd, autoClose: false, start: 0, highWaterMark: 1 << 20 }))

/** SHA-256 of a whole file, read anew. */
export const hashOfFile = (fd: number): string => runThrough(hashSteps(fd))

/** The same with a pause after each piece. */
export function* hashSteps(fd: number): Steps<string> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(1 << 20)
  for (let at = 0; ; ) {
    const got = readSync(fd, chunk, 0, chunk.length, at)
    if (got === 0) return hash.digest('hex')
    hash.update(chunk.subarray(0, got))
    at += got
    yield
  }
}

const mostIdentities = 1 << 20

/** The secret keys in a file as age-keygen(1) writes it: a line each, comments after `#`. */
export function readIdentityFile(path: string): string[] {
  let text: string
  const fd = openIdentities(path)
  try {
    const bytes = Buffer.alloc(mostIdentities)
    let size = 0
    // Of a pipe each read has what has come by then.
    for (let got = 1; got > 0; size += got) got = readSync(fd, bytes, size, bytes.length - size, null)
    text = bytes.toString('latin1', 0, size)
  } finally {
    closeSync(fd)
  }
  const lines = text.split(/\r?\n/).map(line => line.trim())
  const keys = lines.filter(line => line !== '' && !line.startsWith('#'))
  if (keys.length === 0 || !keys.every(key => /^AGE-SECRET-KEY-(PQ-)?1[A-Z0-9]+$/.test(key)))
    throw new UsageError(
      `${path} is not a file of identities as age-keygen writes it${text.startsWith(ageMagic) ? ': decrypt it with age first' : ''}.`,
    )
  return keys
}

function openIdentities(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOCTTY)
  } catch (error) {
    throw new SystemError(`Cannot read the identities in ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
    })
  }
}

let held: readonly string[] = []

/**
 * The secret keys of whoever runs this program, for every encrypted core that it opens from here on. Should it crash, they
 * are in no dump.
 */
export function useIdentities(identities: readonly string[]): void {
  forgoDumps()
  held = identities
}

export const heldIdentities = (): readonly string[] => held
