/**
 * Whether a crash gets a whole core: how many others are being captured at this moment, of all programs and of this one, and
 * how many of this one lately. A machine on which everything dies at once stays usable, and a program that dies each second
 * does not push out the rest. What is not admitted is still recorded, with its stacks.
 *
 *     RuntimeDirectory/captures/TIME-PID-KEY   one for each handler at work, ordered by when it came
 *     RuntimeDirectory/quota/KEY               milliseconds since the epoch, one line for each whole core of the last hour,
 *                                              and some older ones
 *
 * KEY is the user's number and stands for executable and signal; for `captures` the signal does not count, and `quota` has
 * another of the user alone, or of the range of users that is one's. Files of handlers that are gone count for nothing. Where the directory can't be written, everything is admitted.
 */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { rangeOf } from '../base/subordinate-ids.ts'
import type { Config } from '../config/index.ts'
import { writeWhole } from './ticket.ts'

export interface Applicant {
  readonly uid: number
  readonly exe: string
  readonly signal: number
  /** Milliseconds for which it stood in line. */
  readonly waited?: number
}

export interface Admission extends Disposable {
  /** Why only a small record is kept; undefined for a whole core. */
  readonly refused?: string
  /** Crashes that were being stored when it came: they share memory and disk. */
  readonly others: number
  /** It was a quota that refused it, and not the crashes of the moment. */
  readonly isQuota?: true
  /** What could not be told. */
  readonly note?: string
}

/** Bytes that are kept of a crash that is refused, beside headers and notes. */
export const smallRecord = 4 << 20

/** For a crash whose core nobody asks for: it takes no place, and uses up no quota. */
export const withoutCore: Admission = { others: 0, [Symbol.dispose]: () => {} }

const hour = 3_600_000

/** Asks for a whole core. Never waits, never throws; to be disposed of when the dump is stored. */
export function admit(config: Config, applicant: Applicant, now = Date.now()): Admission {
  let path: string | undefined
  const dispose = { [Symbol.dispose]: () => path !== undefined && rmSync(path, { force: true }) }
  try {
    const captures = `${config.run}/captures`
    makeDirectory(config.run, 0o755)
    makeDirectory(captures, 0o700)
    const key = keyOf(applicant.uid, applicant.exe)
    // The clock of names never jumps, and sorts as text.
    const name = `${String(process.hrtime.bigint()).padStart(20, '0')}-${process.pid}-${key}`
    path = `${captures}/${name}`
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
    const before = readdirSync(captures).filter(other => other < name && isAtWork(captures, other))
    const done = { ...dispose, others: before.length }
    const ours = before.filter(other => other.endsWith(`-${key}`)).length
    const share = Math.ceil(config.capturesMax / 2)
    if (before.length >= config.capturesMax)
      return { ...done, refused: `${before.length} other crashes were being stored` }
    if (ours >= share) return { ...done, refused: `${ours} other crashes of this program were being stored` }
    const waited = (applicant.waited ?? 0) / 1000
    if (waited > config.capturesWait)
      return { ...done, refused: `it waited ${waited.toFixed(0)} s for others to be stored` }
    const refused = overQuota(config, applicant, now)
    return refused === undefined ? done : { ...done, refused, isQuota: true }
  } catch (error) {
    return {
      ...dispose,
      others: 0,
      note: `Could not tell how many crashes there are, storing this one: ${reasonOf(error)}`,
    }
  }
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * Its process runs what this one runs. Where it has ended, or would if no thread of it hung in the kernel, it runs nothing;
 * and its number may be another program's by now. A link is read, and the file behind it not looked at: that could hang.
 */
function isAtWork(directory: string, name: string): boolean {
  const pid = Number(/^[0-9]{20}-([0-9]{1,10})-[0-9]{1,10}-[0-9a-f]{16}$/.exec(name)?.[1])
  if (!(pid > 0)) return false
  try {
    if (readlinkSync(`/proc/${pid}/exe`) === readlinkSync('/proc/self/exe')) return true
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return true
  }
  rmSync(`${directory}/${name}`, { force: true })
  return false
}

/** Counts this one where it is within all quotas. */
function overQuota(config: Config, { uid, exe, signal }: Applicant, now: number): string | undefined {
  const directory = `${config.run}/quota`
  const quotas = [
    { most: config.capturesPerHour, key: keyOf(uid, `${exe} ${signal}`), of: 'this program by this signal' },
    { most: config.userCapturesPerHour, key: keyOf(rangeOf(uid), ''), of: 'this user' },
  ].map(({ most, key, of }) => {
    const path = `${directory}/${key}`
    const lines = most === null ? [] : linesOf(path)
    return { most, key, path, of, lines, times: lines.filter(time => time > now - hour && time <= now) }
  })
  const over = quotas.find(({ most, times }) => most !== null && times.length >= most)
  if (over !== undefined) return `${over.times.length} crashes of ${over.of} were stored within an hour`
  for (const { most, key, path, lines, times } of quotas) {
    if (most === null) continue
    makeDirectory(directory, 0o700)
    // What another handler adds meanwhile is lost to who writes it anew, so that is done where most of it is old.
    if (lines.length <= 2 * times.length) appendFileSync(path, `${now}\n`, { mode: 0o600 })
    else writeWhole(path, key, `${[...times, now].join('\n')}\n`)
    if (lines.length === 0) sweep(directory, now)
  }
  return undefined
}

/** So many files are looked at for each new one. */
const sweepMost = 32

/** Whoever runs programs by ever new names makes ever new files. Takes some that count for nothing any more, from anywhere in the list. */
function sweep(directory: string, now: number): void {
  const names = readdirSync(directory)
  const from = Math.floor(Math.random() * names.length)
  for (const name of [...names.slice(from), ...names.slice(0, from)].slice(0, sweepMost)) {
    const path = `${directory}/${name}`
    const mtime = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (mtime !== undefined && mtime < now - hour) rmSync(path, { force: true })
  }
}

function linesOf(path: string): number[] {
  try {
    return readFileSync(path, 'latin1').trim().split('\n').map(Number)
  } catch {
    return []
  }
}

/**
 * FNV-1a of 64 bits tells a user's programs apart: who makes two of them share a name has them share a quota. It is no secret
 * and easily met, so the user stands beside it, and nobody uses up what is somebody else's.
 */
function keyOf(uid: number, text: string): string {
  let value = 0xcbf29ce484222325n
  for (const byte of Buffer.from(text))
    value = ((value ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return `${uid}-${value.toString(16).padStart(16, '0')}`
}
