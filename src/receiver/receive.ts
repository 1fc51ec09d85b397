/**
 * What is said to the kernel over one connection: who crashed is asked of a pidfd, and the answer is given before a byte of
 * the core is written. The kernel holds the process until the last of us has closed the connection.
 */
import { closeSync, readFileSync } from 'node:fs'
import { escapeBytes } from '../base/escape.ts'
import type { SocketLibc } from './libc.ts'
import {
  CoredumpBit,
  formatAnswer,
  markOk,
  type PidfdInfo,
  parseRequest,
  peekStatus,
  requestSize,
} from './protocol.ts'

/** Milliseconds: whoever connects is the kernel, which writes at once, or nobody to wait for. */
const patience = 1000
/** Of a core's beginning: program headers of a thousand mappings, and the first note behind them. */
const headSize = 64 * 1024

/** A crash whose process the kernel holds until it has an answer. */
export interface Crash {
  readonly info: PidfdInfo
  /** As the handler's lines in the kernel log name it. */
  readonly fact: string
}

/** Whose crash it is; a sentence where it is none. */
export function meet(libc: SocketLibc, fd: number): Crash | string {
  const pidfd = libc.peerPidfd(fd)
  if (pidfd === undefined) return 'a connection of nobody'
  const info = libc.info(pidfd)
  closeSync(pidfd)
  if (info?.dumpable === undefined) return 'a connection that is no crash'
  const comm = escapeBytes(Buffer.from(commOf(info.tgid, info.pid), 'latin1'), 64)
  const fact = `crash of process ${info.tgid} (${comm}) of user ${info.uid}, signal ${info.signal ?? 0}`
  const request = libc.receive(fd, requestSize, patience)
  return request !== undefined && parseRequest(request) !== undefined
    ? { info, fact }
    : `${fact}: the kernel asked in a way that is not known`
}

/** Has the kernel write the core; answers core_pattern's fields up to `%d`, or undefined where the process is gone. */
export function accept(libc: SocketLibc, fd: number, { info }: Crash): string[] | undefined {
  return answer(libc, fd, CoredumpBit.kernel | CoredumpBit.wait)
    ? fieldsOf(info, peekStatus(libc.peek(fd, headSize, patience)))
    : undefined
}

/** Has the kernel write nothing, and let the process go. */
export function refuse(libc: SocketLibc, fd: number): void {
  answer(libc, fd, CoredumpBit.reject)
}

const answer = (libc: SocketLibc, fd: number, mask: bigint): boolean =>
  libc.send(fd, formatAnswer(mask)) && libc.receive(fd, 4, patience)?.readUInt32LE(0) === markOk

/** A character for each byte. */
function fieldsOf(info: PidfdInfo, status: { signal: number; tid: number } | undefined): string[] {
  const { tgid, uid, gid, dumpable } = info
  const tid = status?.tid ?? info.pid
  const limit = /^Max core file size\s+(\S+)/m.exec(text(`/proc/${tgid}/limits`) ?? '')?.[1]
  return [
    ...[tgid, uid, gid, info.signal ?? status?.signal ?? 0, Math.floor(Date.now() / 1000)].map(String),
    limit === undefined || limit === 'unlimited' ? '18446744073709551615' : limit,
    commOf(tgid, tid),
    // The host name in the process's UTS namespace is not to be had.
    ...['', String(tid), String(dumpable)],
  ]
}

const commOf = (tgid: number, tid: number): string =>
  text(`/proc/${tgid}/task/${tid}/comm`)?.replace(/\n$/, '') ?? ''

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
