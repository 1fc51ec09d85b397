/**
 * One connection from the kernel: who crashed is asked of a pidfd, the answer is given before a byte of the core is
 * written, and then the socket goes to a handler as the pipe from the kernel would, with the same arguments. The kernel
 * holds the process until the last of us has closed the socket.
 */
import { closeSync, readFileSync } from 'node:fs'
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

export type Received =
  /** To be handed on: `pidfd` is the caller's to close. */
  | { kind: 'core'; pidfd: number; args: readonly string[]; what: string }
  | { kind: 'refused'; what: string }
  | { kind: 'stranger'; what: string }

/** `refuse`: a sentence why there is no room for this crash, or undefined. */
export function receive(
  libc: SocketLibc,
  fd: number,
  refuse: (info: PidfdInfo) => string | undefined,
): Received {
  const pidfd = libc.peerPidfd(fd)
  if (pidfd === undefined) return { kind: 'stranger', what: 'a connection of nobody' }
  const stranger = (what: string): Received => {
    closeSync(pidfd)
    return { kind: 'stranger', what }
  }
  const info = libc.info(pidfd)
  if (info?.dumpable === undefined) return stranger('a connection that is no crash')
  const what = `crash of process ${info.tgid} of user ${info.uid}`
  const request = libc.receive(fd, requestSize, patience)
  if (request === undefined || parseRequest(request) === undefined)
    return stranger(`${what}: the kernel asked in a way that is not known`)
  const why = refuse(info)
  const mask = why === undefined ? CoredumpBit.kernel | CoredumpBit.wait : CoredumpBit.reject
  if (!libc.send(fd, formatAnswer(mask)) || libc.receive(fd, 4, patience)?.readUInt32LE(0) !== markOk)
    return stranger(`${what}: the kernel did not take the answer`)
  if (why !== undefined) {
    closeSync(pidfd)
    return { kind: 'refused', what: `${what}: ${why}` }
  }
  const status = peekStatus(libc.peek(fd, headSize, patience))
  return { kind: 'core', pidfd, args: argumentsOf(info, status), what }
}

/** The handler's own, in the order of core_pattern's fields. */
function argumentsOf(info: PidfdInfo, status: { signal: number; tid: number } | undefined): string[] {
  const { tgid, uid, gid, dumpable } = info
  const tid = status?.tid ?? info.pid
  const comm = text(`/proc/${tgid}/task/${tid}/comm`)?.replace(/\n$/, '') ?? ''
  const limit = /^Max core file size\s+(\S+)/m.exec(text(`/proc/${tgid}/limits`) ?? '')?.[1]
  return [
    ...[tgid, uid, gid, info.signal ?? status?.signal ?? 0, Math.floor(Date.now() / 1000)].map(String),
    ...[limit === undefined || limit === 'unlimited' ? '18446744073709551615' : limit, comm],
    // The host name in the process's UTS namespace is not to be had.
    ...['', String(tid), String(dumpable), '-F3'],
  ]
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
