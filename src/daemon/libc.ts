/**
 * The few calls of libc that Node has no face for, through `node:ffi` (Node 26; experimental). Without it they are not
 * there, and each caller has a way on.
 */

type Argument = number | bigint | Uint8Array
interface Ffi {
  dlopen(
    library: string | null,
    functions: Record<string, { arguments: string[]; return: string }>,
  ): { functions: Record<string, (...values: Argument[]) => number> }
}

const int = 'int32'
const signatures = {
  socket: { arguments: [int, int, int], return: int },
  sendto: { arguments: [int, 'buffer', 'uint64', int, 'buffer', 'uint32'], return: 'int64' },
  fcntl: { arguments: [int, int, int], return: int },
  setrlimit: { arguments: [int, 'buffer'], return: int },
}

type Libc = Record<keyof typeof signatures, (...values: Argument[]) => number | bigint>

let loaded: Libc | undefined
let tried = false

/** libc as this process has it, whichever that is, or undefined. */
export function libc(): Libc | undefined {
  if (!tried) {
    tried = true
    try {
      const ffi = process.getBuiltinModule('node:ffi') as Ffi | undefined
      loaded = ffi?.dlopen(null, signatures).functions as Libc | undefined
    } catch {
      // Switched off, or not permitted.
    }
  }
  return loaded
}

const RLIMIT_CORE = 4

/**
 * Keeps this process and its children from ever being dumped: RLIMIT_CORE of 1 is what the kernel gives its own pipe
 * handlers and refuses to dump (fs/coredump.c, "aborting core"), where 0 still starts the handler. Otherwise the crash
 * of an analysis would be a crash to analyse. Answers whether it could.
 */
export function forbidCores(): boolean {
  const limit = new Uint8Array(new BigUint64Array([1n, 1n]).buffer)
  return libc()?.setrlimit(RLIMIT_CORE, limit) === 0
}

const F_GETFL = 3
const F_SETFL = 4
const O_NONBLOCK = 0o4000

/** Makes reads of `fd` never wait; answers whether it could. */
export function setNonBlocking(fd: number): boolean {
  const calls = libc()
  const flags = Number(calls?.fcntl(fd, F_GETFL, 0) ?? -1)
  return flags >= 0 && Number(calls!.fcntl(fd, F_SETFL, flags | O_NONBLOCK)) === 0
}
