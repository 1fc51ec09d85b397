/**
 * Names and places in the archive; `gocore-archive(5)` documents them. Every name is made here: nothing that comes out
 * of a dump, an argument or a process ever becomes part of a path.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { ArchiveError } from '../base/errors.ts'
import type { DumpRef } from './store.ts'

export const formatVersion = 1
export const formatFile = 'format.json'
export const manifestFile = 'manifest.json'
/** What is known when the dump begins. Stays behind only where the handler was killed. */
export const pendingFile = 'pending.json'
export const coreFile = 'core.lz4'
/** The core where it is encrypted, and while that is being done. */
export const encryptedFile = 'core.lz4.age'
export const encryptedPartFile = 'core.lz4.age.part'
/** The core once it is a mini-core, and while that is made. */
export const miniFile = 'core.mini.lz4'
export const miniPartFile = 'core.mini.lz4.part'
/** What a manifest may name as its core. */
export const coreFiles: readonly string[] = [coreFile, encryptedFile, miniFile]
/** The core while it is written. */
export const partFile = 'core.lz4.part'
export const reportFile = 'report.json'
export const analysisFile = 'analysis.json'
export const binaryFile = 'binary'
export const binaryInfoFile = 'info.json'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
export const idPattern = /^[a-z2-7]{12}$/
export const dayPattern = /^[0-9]{4}\/(0[1-9]|1[0-2])\/(0[1-9]|[12][0-9]|3[01])$/
/** A build id and the beginning of the content's SHA-256, or where there is no build id 40 digits of the hash alone. */
export const keyPattern = /^([0-9a-f]{16,64}-[0-9a-f]{16}|[0-9a-f]{40})$/

/** Sixty random bits: a million dumps share one with a chance of 4 in 10 million. */
export function newId(): string {
  return [...randomBytes(12)].map(byte => alphabet[byte & 31]).join('')
}

/** From the kernel: loading node:crypto takes a third of the time that Node itself takes to start. */
function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const fd = openSync('/dev/urandom', 'r')
  try {
    if (readSync(fd, bytes) !== length)
      throw new ArchiveError('Cannot make an id: /dev/urandom gave too little')
  } finally {
    closeSync(fd)
  }
  return bytes
}

export const dayOf = (time: Date): string => time.toISOString().slice(0, 10).replaceAll('-', '/')

export interface Layout {
  readonly root: string
  readonly dumps: string
  readonly binaries: string
  readonly pins: string
  readonly users: string
  readonly temporary: string
  day(day: string): string
  dump(ref: DumpRef): string
  file(ref: DumpRef, name: string): string
  binary(key: string): string
  pin(id: string): string
}

export function layoutOf(root: string): Layout {
  const dumps = join(root, 'dumps')
  const binaries = join(root, 'binaries')
  const dump = ({ id, day }: DumpRef): string => {
    if (!idPattern.test(id) || !dayPattern.test(day)) throw new ArchiveError(`No dump is called ${day}/${id}`)
    return join(dumps, day, id)
  }
  return {
    root,
    dumps,
    binaries,
    pins: join(root, 'pins'),
    users: join(root, 'users'),
    temporary: join(root, 'tmp'),
    day(day) {
      if (!dayPattern.test(day)) throw new ArchiveError(`${day} is not a day`)
      return join(dumps, day)
    },
    dump,
    file: (ref, name) => join(dump(ref), name),
    binary(key) {
      if (!keyPattern.test(key)) throw new ArchiveError(`No binary is called ${key}`)
      return join(binaries, key.slice(0, 2), key)
    },
    pin(id) {
      if (!idPattern.test(id)) throw new ArchiveError(`No dump is called ${id}`)
      return join(root, 'pins', `${id}.json`)
    },
  }
}
