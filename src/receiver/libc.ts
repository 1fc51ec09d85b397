/** The calls on sockets and pidfds that Node has no name for, through `node:ffi` (Node 26). */
import { getInfo, infoRequest, type PidfdInfo, parseInfo } from './protocol.ts'

interface Functions {
  recv(fd: number, buffer: Buffer, length: bigint, flags: number): bigint
  send(fd: number, buffer: Buffer, length: bigint, flags: number): bigint
  getsockopt(fd: number, level: number, name: number, value: Buffer, length: Buffer): number
  ioctl(fd: number, request: bigint, argument: Buffer): number
  poll(fds: Buffer, count: bigint, milliseconds: number): number
}

interface Ffi {
  dlopen(library: string | null, functions: object): { functions: Functions }
}

const SOL_SOCKET = 1
const SO_PEERPIDFD = 77
const MSG_PEEK = 2
const MSG_NOSIGNAL = 0x4000
const POLLIN = 1
/** By signals, of which a handler gets one at its end. */
const mostInterrupted = 16

export class SocketLibc {
  readonly #functions: Functions

  constructor(functions: Functions) {
    this.#functions = functions
  }

  /** Exactly `length` bytes, each part of which comes within `patience` milliseconds; undefined where they don't. */
  receive(fd: number, length: number, patience: number): Buffer | undefined {
    const buffer = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const got = this.take(fd, buffer.subarray(done), patience)
      if (got === 0) return undefined
      done += got
    }
    return buffer
  }

  /** What is there of the next bytes, which stay to be read. */
  peek(fd: number, most: number, patience: number): Buffer {
    const buffer = Buffer.alloc(most)
    return buffer.subarray(0, this.#receiveSome(fd, buffer, patience, MSG_PEEK))
  }

  /** Takes what is there into `buffer`; answers how much that is, and 0 where nothing comes. */
  take(fd: number, buffer: Buffer, patience: number): number {
    return this.#receiveSome(fd, buffer, patience, 0)
  }

  #receiveSome(fd: number, buffer: Buffer, patience: number, flags: number): number {
    if (!this.#isReady(fd, patience)) return 0
    return Math.max(0, Number(this.#functions.recv(fd, buffer, BigInt(buffer.length), flags)))
  }

  /** Whether all of it was taken. */
  send(fd: number, bytes: Buffer): boolean {
    return Number(this.#functions.send(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL)) === bytes.length
  }

  /** A pidfd of the process at the other end; undefined where there is none. */
  peerPidfd(fd: number): number | undefined {
    const value = Buffer.alloc(4)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(4)
    return this.#functions.getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, value, length) === 0
      ? value.readInt32LE(0)
      : undefined
  }

  info(pidfd: number): PidfdInfo | undefined {
    const bytes = infoRequest()
    return this.#functions.ioctl(pidfd, BigInt(getInfo), bytes) === 0 ? parseInfo(bytes) : undefined
  }

  #isReady(fd: number, patience: number): boolean {
    const entry = Buffer.alloc(8)
    entry.writeInt32LE(fd, 0)
    entry.writeInt16LE(POLLIN, 4)
    const milliseconds = Number.isFinite(patience) ? patience : -1
    for (let interrupted = 0; interrupted < mostInterrupted; interrupted++) {
      const ready = this.#functions.poll(entry, 1n, milliseconds)
      if (ready >= 0) return ready === 1
    }
    return false
  }
}

/** Undefined without `node:ffi`. */
export function openSocketLibc(): SocketLibc | undefined {
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    const bytes = { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' }
    const library = ffi?.dlopen(null, {
      recv: bytes,
      send: bytes,
      getsockopt: { arguments: ['int32', 'int32', 'int32', 'buffer', 'buffer'], return: 'int32' },
      ioctl: { arguments: ['int32', 'uint64', 'buffer'], return: 'int32' },
      poll: { arguments: ['buffer', 'uint64', 'int32'], return: 'int32' },
    })
    return library && new SocketLibc(library.functions)
  } catch {
    return undefined
  }
}
