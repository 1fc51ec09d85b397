/** Tells the daemon of a new dump. It would find it by itself: a daemon that is down or slow costs nothing here. */
import { closeSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSystemCalls, type SystemCalls } from '../base/system-calls.ts'

const mostMilliseconds = 100

/** By system calls where they are to be had: Node's own sockets take 5 ms to load, a twentieth of a small crash's work. */
export function nudgeDaemon(
  run: string,
  id: string,
  calls: SystemCalls | null = openSystemCalls() ?? null,
): Promise<void> {
  const path = join(run, 'daemon.sock')
  const text = `${id}\n`
  if (calls === null || Buffer.byteLength(path) > longestPath) return nudgeByNode(path, text)
  const fd = connect(calls, path)
  if (fd !== undefined) {
    try {
      writeSync(fd, text)
    } catch {
      // It has just gone.
    }
    closeSync(fd)
  }
  return Promise.resolve()
}

const AF_UNIX = 1
/** sys/un.h: a path with its end. */
const longestPath = 107
/** bits/socket_type.h; a full queue is not waited for. */
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

function connect(calls: SystemCalls, path: string): number | undefined {
  const address = Buffer.alloc(2 + longestPath + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  address.write(path, 2)
  const fd = calls.call('socket', AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
  if (fd < 0) return undefined
  if (calls.call('connect', fd, address, address.length) === 0) return fd
  closeSync(fd)
  return undefined
}

function nudgeByNode(path: string, text: string): Promise<void> {
  return new Promise(resolve => {
    // Loaded here, after the crashed process is free.
    const socket = process.getBuiltinModule('node:net').connect({ path })
    const done = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve()
    }
    const timer = setTimeout(done, mostMilliseconds)
    socket.on('error', done)
    socket.on('connect', () => socket.end(text, done))
  })
}
