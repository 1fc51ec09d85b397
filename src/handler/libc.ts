/**
 * The few functions of the C library that Node has no name for, through `node:ffi` (Node 26, still experimental). All
 * that builds on them has a way on without them: slower, and nothing else.
 */

interface Functions {
  fcntl(fd: number, command: number, argument: number): number
  pipe2(fds: Buffer, flags: number): number
  splice(from: number, fromAt: null, to: number, toAt: null, length: bigint, flags: number): bigint
}

interface Ffi {
  dlopen(library: string, functions: object): { functions: Functions }
}

const F_SETFL = 4
const F_DUPFD_CLOEXEC = 1030
const F_SETPIPE_SZ = 1031
const O_CLOEXEC = 0o2000000
const SPLICE_F_MOVE = 1
const SPLICE_F_NONBLOCK = 2

export class Libc {
  readonly #functions: Functions

  constructor(functions: Functions) {
    this.#functions = functions
  }

  /** Makes a pipe hold `size` bytes; false where the kernel doesn't let us. */
  setPipeSize(fd: number, size: number): boolean {
    return this.#functions.fcntl(fd, F_SETPIPE_SZ, size) >= size
  }

  /** The same open file under another number, whose reads wait; negative where there is none. */
  duplicate(fd: number): number {
    const other = this.#functions.fcntl(fd, F_DUPFD_CLOEXEC, 3)
    if (other >= 0) this.#functions.fcntl(other, F_SETFL, 0)
    return other
  }

  pipe(): { read: number; write: number } | undefined {
    const fds = Buffer.alloc(8)
    if (this.#functions.pipe2(fds, O_CLOEXEC) !== 0) return undefined
    return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) }
  }

  /**
   * Moves what is there from one pipe to another without copying it. 0 at the end of the first; negative where the first
   * is empty or the second full.
   */
  movePipe(from: number, to: number, most: number): number {
    return Number(
      this.#functions.splice(from, null, to, null, BigInt(most), SPLICE_F_MOVE | SPLICE_F_NONBLOCK),
    )
  }
}

export function openLibc(): Libc | undefined {
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    if (ffi === undefined) return undefined
    const { functions } = ffi.dlopen('libc.so.6', {
      fcntl: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
      pipe2: { arguments: ['buffer', 'int32'], return: 'int32' },
      splice: { arguments: ['int32', 'pointer', 'int32', 'pointer', 'uint64', 'uint32'], return: 'int64' },
    })
    return new Libc(functions)
  } catch {
    return undefined
  }
}
