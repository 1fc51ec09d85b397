/**
 * sd_notify(3): tells systemd of readiness, state and liveness. A datagram to the socket in NOTIFY_SOCKET, from this very
 * process, as NotifyAccess=main wants it. Node has no datagram sockets of Unix; libc's are called directly, and where
 * that can't be done systemd-notify(1) sends it (which takes NotifyAccess=all).
 */
import { execFile } from 'node:child_process'
import { libc } from './libc.ts'

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const MSG_NOSIGNAL = 0x4000

export class Notifier {
  readonly #address: Uint8Array | undefined
  readonly #path: string
  #socket = -1

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#path = env.NOTIFY_SOCKET ?? ''
    this.#address = addressOf(this.#path)
    // A child that crashed must not speak for us.
    delete env.NOTIFY_SOCKET
  }

  get isOn(): boolean {
    return this.#address !== undefined
  }

  /** Lines such as `READY=1` and `STATUS=…`. Never throws: the service goes on unheard. */
  send(...lines: string[]): void {
    if (!this.#address) return
    const message = Buffer.from(lines.map(line => line.replaceAll('\n', ' ')).join('\n'))
    const functions = libc()
    if (!functions) {
      execFile('systemd-notify', lines, { env: { ...process.env, NOTIFY_SOCKET: this.#path } }, () => {})
      return
    }
    if (this.#socket < 0)
      this.#socket = Number(functions.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    if (this.#socket < 0) return
    functions.sendto(
      this.#socket,
      message,
      BigInt(message.length),
      MSG_NOSIGNAL,
      this.#address,
      this.#address.length,
    )
  }
}

/** A sockaddr_un of exactly the length that names the socket: `@name` is abstract, a zero byte in place of the `@`. */
export function addressOf(path: string): Uint8Array | undefined {
  const name = Buffer.from(path.replace(/^@/, '\0'))
  if (!/^[/@]./.test(path) || name.length > 107) return undefined
  const address = Buffer.alloc(2 + name.length + (path.startsWith('/') ? 1 : 0))
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = AF_UNIX
  name.copy(address, 2)
  return address
}

/** Half the time within which systemd wants a sign of life, in milliseconds; undefined where it wants none. */
export function watchdogInterval(
  env: NodeJS.ProcessEnv = process.env,
  pid = process.pid,
): number | undefined {
  const microseconds = Number(env.WATCHDOG_USEC)
  if (!(microseconds > 0) || (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== pid)) return undefined
  return Math.max(1, Math.floor(microseconds / 2000))
}
