/**
 * A handler that is started before there is a crash for it. The receiver gives it a connection, from which on it is what the
 * kernel starts for a pipe, for one dump; without the receiver it ends.
 */
import { join } from 'node:path'
import { handleCrash } from '../handler/handle-crash.ts'
import { lastWords } from '../handler/last-words.ts'
import { openLibc } from '../handler/libc.ts'
import type { SocketLibc } from './libc.ts'

/** The first argument of such a process, which runs the same file as the receiver. */
export const standbyArgument = '--standby'

/** What comes with a connection. */
export interface StandbyOrder {
  readonly config?: string
  /** Those of core_pattern, a character for each byte, but for the last: the pidfd is asked of the connection. */
  readonly fields: readonly string[]
  /** Milliseconds that the crash has waited. */
  readonly waited: number
}

/** libuv's handle of a connection, as Node passes it between processes. */
interface Handle {
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
    process.disconnect?.()
    const pidfd = calls.peerPidfd(connection)
    const fields = [...order.fields, pidfd === undefined ? '' : `-F${pidfd}`]
    const call = {
      ...order,
      told: false,
      fields: fields.map(field => Buffer.from(field, 'latin1')),
      input: () => connection,
      began,
    }
    void handleCrash(call, handlerScript)
      .catch(lastWords)
      .then(code => {
        process.exitCode = code
      })
  })
}

const handlerScript = join(
  import.meta.dirname,
  import.meta.url.endsWith('.ts') ? '../handler/main.ts' : 'handler.cjs',
)
