/**
 * What is said to the kernel over one connection: who crashed is asked of a pidfd, and the answer is given before a byte of
 * the core is written. The kernel holds the process until the last of us has closed the connection.
 */
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { escapeBytes } from '../base/escape.ts'
import { signalName } from '../handler/signals.ts'
import type { SocketLibc } from './libc.ts'
import {
  CoredumpBit,
  formatAnswer,
  markOk,
  type PidfdInfo,
  parseRequest,
  parseStatSignal,
  peekStatus,
  requestSize,
} from './protocol.ts'

/** Milliseconds: whoever connects is the kernel, which writes at once, or nobody to wait for. */
const patience = 1000
/** Of a core's beginning: program headers of 65,530 mappings (vm.max_map_count), and the first note behind them. */
const headSize = 4 << 20

/** A crash whose process the kernel holds until it has an answer. */
export interface Crash {
  readonly info: PidfdInfo
  /** A character for each byte. */
  readonly comm: string
  /** As the handler's lines in the kernel log name it. */
  readonly fact: string
}

/**
 * Whose crash it is, of which the kernel asks what to do; a sentence for its log where it is none, or is sent away. Undefined where
 * it has not asked yet: the crashed thread does, which may have to wait for a processor, but for as long as nothing is `over`, which
 * says why it waits no longer. Never waits itself.
 */
export function meet(libc: SocketLibc, fd: number, over?: string): Crash | string | undefined {
  const pidfd = libc.peerPidfd(fd)
  if (pidfd === undefined) return 'a connection of nobody'
  const info = libc.info(pidfd)
  closeSync(pidfd)
  if (info?.dumpable === undefined) return 'a connection that is no crash'
  const comm = commOf(info.tgid, info.pid)
  const name = escapeBytes(Buffer.from(comm, 'latin1'), 64)
  const signal = info.signal === undefined ? 'signal 0' : signalName(info.signal)
  const fact = `crash of process ${info.tgid} (${name}) of user ${info.uid}, ${signal}`
  if (libc.peek(fd, requestSize, 0).length < requestSize) return over && refusedText(fact, over)
  const request = libc.receive(fd, requestSize, 0)
  return request !== undefined && parseRequest(request) !== undefined
    ? { info, comm, fact }
    : refusedText(fact, 'the kernel asked in a way that is not known')
}

/** The kernel log's line of a crash that is sent away, of which the daemon makes a record. */
export const refusedText = (fact: string, why: string): string => `REFUSED the core of ${fact}: ${why}`

/** How a core begins, and who died of what, where that tells. */
export interface Beginning {
  readonly head: Buffer
  readonly status: { readonly signal: number; readonly tid: number } | undefined
}

/**
 * Has the kernel write the core, and takes its beginning; undefined where the process is gone. To look at it would not do: the
 * kernel writes header by header, and waits where a socket holds some three hundred that nobody takes.
 */
export function accept(libc: SocketLibc, fd: number): Beginning | undefined {
  if (!answer(libc, fd, CoredumpBit.kernel | CoredumpBit.wait)) return undefined
  const buffer = Buffer.alloc(headSize)
  for (let length = 0; ; ) {
    const head = buffer.subarray(0, length)
    const status = peekStatus(head)
    if (status !== 'more') return { head, status }
    const got = length === headSize ? 0 : libc.take(fd, buffer.subarray(length), patience)
    if (got === 0) return { head, status: undefined }
    length += got
  }
}

/** Has the kernel write nothing, and let the process go. It marks the answer as well; whoever has no need of that may close. */
export function refuse(libc: SocketLibc, fd: number): void {
  libc.send(fd, formatAnswer(CoredumpBit.reject))
}

/**
 * Answers the kernel and waits for its mark, which the crashed thread writes when it gets a processor: what comes behind it
 * is the core, and nothing else is.
 */
const answer = (libc: SocketLibc, fd: number, mask: bigint): boolean =>
  libc.send(fd, formatAnswer(mask)) &&
  libc.receive(fd, 4, Number.POSITIVE_INFINITY)?.readUInt32LE(0) === markOk

/** `%c` of a process; undefined where it can't be told. */
export function coreLimitOf(tgid: number): string | undefined {
  const limit = /^Max core file size\s+(\S+)/m.exec(text(`/proc/${tgid}/limits`) ?? '')?.[1]
  return limit === 'unlimited' ? '18446744073709551615' : limit
}

/** Pipes' handlers and their children have that limit, and the kernel dumps none of them; by a socket it does. */
export const markedBy = (limit: string | undefined): string | undefined =>
  limit === '1' ? 'RLIMIT_CORE is 1, which marks crash handlers and their children' : undefined

/** The name of a thread, a character for each byte. */
export const commOf = (tgid: number, tid: number): string =>
  text(`/proc/${tgid}/task/${tid}/comm`)?.replace(/\n$/, '') ?? ''

/** The thread that its own PID namespace gives the number `own`; undefined where there is none, or not any more. */
export function threadOf(tgid: number, own: number): number | undefined {
  const numberIn = (task: number | string): string | undefined =>
    /^NSpid:.*?(\d+)$/m.exec(text(`/proc/${tgid}/task/${task}/status`) ?? '')?.[1]
  // Outside of containers the numbers are the same.
  if (numberIn(own) === String(own)) return own
  try {
    return readdirSync(`/proc/${tgid}/task`)
      .map(Number)
      .find(task => numberIn(task) === String(own))
  } catch {
    return undefined
  }
}

/** The signal that a process dies of, for kernels that don't tell it by the pidfd. */
export const signalOf = (tgid: number): number => parseStatSignal(text(`/proc/${tgid}/stat`) ?? '')

/** As the manifest has it; empty where it can't be told. */
export function exeOf(tgid: number): string {
  try {
    return escapeBytes(readlinkSync(`/proc/${tgid}/exe`, 'buffer'))
  } catch {
    return ''
  }
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
