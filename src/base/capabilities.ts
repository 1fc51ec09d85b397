/** The capabilities of the calling thread (capabilities(7)), and whom the files belong to that it makes. */
import { openSystemCalls } from './system-calls.ts'

/** Numbers of linux/capability.h. */
export const capability = {
  chown: 0,
  dacOverride: 1,
  dacReadSearch: 2,
  fowner: 3,
  sysPtrace: 19,
  sysAdmin: 21,
  sysNice: 23,
  sysResource: 24,
  checkpointRestore: 40,
} as const

const capabilityVersion3 = 0x2008_0522
/** Effective, permitted, inheritable; for capabilities up to 31 and from 32 on. */
const setSize = 24
const permittedAt = 4

/** Header and sets as capget(2) gives them; undefined where they can't be had. */
function readSets(): { header: Buffer; sets: Buffer } | undefined {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(capabilityVersion3, 0)
  const sets = Buffer.alloc(setSize)
  return openSystemCalls()?.call('capget', header, sets) === 0 ? { header, sets } : undefined
}

/** The calling thread keeps these, as far as it has them, and nothing else, for good. */
export function keepOnly(numbers: readonly number[]): void {
  const now = readSets()
  if (now === undefined) return
  const wanted = numbers.reduce((bits, number) => bits | (1 << number), 0)
  const have = now.sets.readUInt32LE(permittedAt)
  now.sets.fill(0)
  for (const at of [0, permittedAt]) now.sets.writeUInt32LE((have & wanted) >>> 0, at)
  openSystemCalls()?.call('capset', now.header, now.sets)
}

const PR_CAP_AMBIENT = 47
const ambient = { isSet: 1, raise: 2, clearAll: 4 } as const
/** More than there are yet. */
const mostCapabilities = 64

/**
 * Calls `start`, whose programs get none of the capabilities that this thread has as a user's who is not root. (A thread's
 * capabilities are its own; a program begins with those that are ambient.)
 */
export function startPowerless<T>(start: () => T): T {
  const calls = openSystemCalls()
  const change = (...args: number[]): number => calls?.call('prctl', PR_CAP_AMBIENT, ...args, 0, 0) ?? -1
  const ours = Array.from({ length: mostCapabilities }, (_, number) => number).filter(
    number => change(ambient.isSet, number) === 1,
  )
  change(ambient.clearAll, 0)
  try {
    return start()
  } finally {
    for (const number of ours) change(ambient.raise, number)
  }
}

let owner: { readonly uid: number | undefined } | undefined

/**
 * The user to give new files of the archive to: root, from a process that is not root and may give files away, as the
 * receiver of the coredump socket may; undefined where whoever makes a file keeps it.
 */
export function ownerOfFiles(): number | undefined {
  owner ??= { uid: process.geteuid?.() !== 0 && mayGiveAway() ? 0 : undefined }
  return owner.uid
}

const mayGiveAway = (): boolean => ((readSets()?.sets.readUInt32LE(0) ?? 0) & (1 << capability.chown)) !== 0
