/**
 * A handler that is started before there is a crash for it. The receiver gives it a connection, from which on it is what the
 * kernel starts for a pipe, for one dump; without the receiver it ends. It is the handler that answers the kernel, since it
 * may look at the process: for a crash beyond a quota the kernel writes nothing.
 */
import { join } from 'node:path'
import { loadConfigOrDefaults } from '../config/index.ts'
import { admit, withoutCore } from '../handler/admission.ts'
import { handleCrash } from '../handler/handle-crash.ts'
import { lastWords } from '../handler/last-words.ts'
import { openLibc } from '../handler/libc.ts'
import { KernelLog } from '../handler/log.ts'
import { refusalByLimit, refusalByQuota } from '../handler/refusal.ts'
import { Ticket } from '../handler/ticket.ts'
import type { SocketLibc } from './libc.ts'
import {
  accept,
  type Crash,
  commOf,
  coreLimitOf,
  exeOf,
  markedBy,
  refuse,
  refusedText,
  signalOf,
  threadOf,
} from './receive.ts'

/** The first argument of such a process, which runs the same file as the receiver. */
export const standbyArgument = '--standby'

/** What comes with a connection: the crash as the door saw it. */
export interface StandbyOrder extends Crash {
  readonly config?: string
  /** When it came, milliseconds since the epoch. */
  readonly time: number
  /** Whose place it has. */
  readonly place: number
  /** Milliseconds that the crash has waited. */
  readonly waited: number
  /** File in which it shows that it gets on. */
  readonly ticket?: string
}

/** libuv's handle of a connection, as Node passes it between processes. */
export interface Handle {
  readonly fd: number
  close(): void
}

export function standBy(calls: SocketLibc): void {
  process.on('uncaughtException', lastWords)
  const leave = (): void => process.exit(0)
  process.once('disconnect', leave)
  process.once('message', (order: StandbyOrder, passed) => {
    const began = performance.now()
    process.off('disconnect', leave)
    // libuv's own would be closed by libuv, at a time of its choosing.
    const handle = passed as unknown as Handle
    const connection = openLibc()?.duplicate(handle.fd) ?? -1
    handle.close()
    // The crew has its own end till then.
    process.send?.('taken', () => process.connected && process.disconnect?.())
    const call = callFor(calls, connection, order, began)
    if (call === undefined) return
    void handleCrash(call, handlerScript)
      .catch(lastWords)
      .then(code => {
        process.exitCode = code
      })
  })
  // Without the receiver it ends anyway.
  process.send?.('ready', () => {})
}

type Call = Parameters<typeof handleCrash>[0]

/** Undefined for a process of which no core is taken, and no record made but by the kernel log. */
function callFor(
  calls: SocketLibc,
  connection: number,
  order: StandbyOrder,
  began: number,
): Call | undefined {
  const { waited } = order
  // From here on the kernel may keep it waiting, for memory that a file system of the crasher's own does not give.
  new Ticket(order.ticket, true)
  const { config } = loadConfigOrDefaults(order.config)
  const pidfd = calls.peerPidfd(connection)
  // Of a process that is gone the kernel says nothing; what others say makes it nobody's but root's.
  const info = (pidfd === undefined ? undefined : calls.info(pidfd)) ?? { ...order.info, dumpable: undefined }
  const { tgid, uid, gid, dumpable = 2 } = info
  const signal = info.signal ?? signalOf(tgid)
  const limit = coreLimitOf(tgid)
  // The door may not see it, where /proc is mounted with hidepid.
  const mark = markedBy(limit)
  if (mark !== undefined) {
    refuse(calls, connection)
    new KernelLog().write('warning', refusedText(order.fact, mark))
    return undefined
  }
  const byLimit = refusalByLimit(limit === undefined ? undefined : BigInt(limit), config)
  const admission =
    byLimit === undefined ? admit(config, { uid, exe: exeOf(tgid), signal, waited }) : withoutCore
  const refusal = byLimit ?? refusalByQuota(admission)
  const { head, status } = (refusal === undefined ? accept(calls, connection) : undefined) ?? {}
  const tid = (status && threadOf(tgid, status.tid)) ?? info.pid
  const fields = [
    ...[tgid, uid, gid, signal || (status?.signal ?? 0), Math.floor(order.time / 1000)].map(String),
    limit ?? '18446744073709551615',
    commOf(tgid, tid) || order.comm,
    // The host name in the process's UTS namespace is not to be had.
    ...['', String(tid), String(dumpable), pidfd === undefined ? '' : `-F${pidfd}`],
  ]
  return {
    ...order,
    told: true,
    fields: fields.map(field => Buffer.from(field, 'latin1')),
    ...(head === undefined ? {} : { head }),
    input: () => {
      if (refusal !== undefined) refuse(calls, connection)
      return connection
    },
    began,
    admission,
    refusal,
  }
}

const handlerScript = join(
  import.meta.dirname,
  import.meta.url.endsWith('.ts') ? '../handler/main.ts' : 'handler.cjs',
)
