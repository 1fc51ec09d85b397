/**
 * The kernel's side of a coredump socket in request mode, `@@/path` in core_pattern (Linux 6.17; fs/coredump.c,
 * include/uapi/linux/coredump.h): it asks before it writes a byte, so that a crash which there is no room for costs nothing.
 */

/** struct coredump_req: size, size_ack, mask. */
export const requestSize = 16

export interface CoredumpRequest {
  /** Bytes of the largest answer that this kernel reads. */
  readonly sizeAck: number
  /** What may be asked for. */
  readonly mask: bigint
}

/** Bits of coredump_req.mask and coredump_ack.mask. */
export const CoredumpBit = {
  /** The kernel writes the core to the socket. */
  kernel: 1n,
  userspace: 2n,
  /** No core is written. */
  reject: 4n,
  /** The process is held until the other end is closed. */
  wait: 8n,
} as const

/** enum coredump_mark, which the kernel answers in four bytes. */
export const markOk = 0

/** Undefined for what is no request that we can answer. */
export function parseRequest(bytes: Buffer): CoredumpRequest | undefined {
  if (bytes.length < requestSize || bytes.readUInt32LE(0) < requestSize) return undefined
  const sizeAck = bytes.readUInt32LE(4)
  return sizeAck < requestSize ? undefined : { sizeAck, mask: bytes.readBigUInt64LE(8) }
}

/** struct coredump_ack: size, spare, mask. */
export function formatAnswer(mask: bigint): Buffer {
  const bytes = Buffer.alloc(requestSize)
  bytes.writeUInt32LE(requestSize, 0)
  bytes.writeBigUInt64LE(mask, 8)
  return bytes
}

/** What the kernel knows of the process behind a pidfd (struct pidfd_info, include/uapi/linux/pidfd.h). */
export interface PidfdInfo {
  readonly pid: number
  readonly tgid: number
  readonly uid: number
  readonly gid: number
  /** As `%d`: 1 for a process that its user may read, 2 for root's eyes only; undefined for one that is not being dumped. */
  readonly dumpable: 1 | 2 | undefined
  /** Linux 6.19 and later. */
  readonly signal: number | undefined
}

/** Bytes of it that are asked for: up to coredump_signal. */
export const pidfdInfoSize = 72
const known = { pid: 1n, credentials: 2n, coredump: 16n, coredumpSignal: 64n }
const coredumped = 1
const asUser = 4
const asRoot = 8

/** PIDFD_GET_INFO: _IOWR(0xff, 11, struct pidfd_info). */
export const getInfo = ((3 << 30) | (pidfdInfoSize << 16) | (0xff << 8) | 11) >>> 0

/** The buffer to hand to PIDFD_GET_INFO. */
export function infoRequest(): Buffer {
  const bytes = Buffer.alloc(pidfdInfoSize)
  bytes.writeBigUInt64LE(known.pid | known.credentials | known.coredump | known.coredumpSignal, 0)
  return bytes
}

/** What came back in it; undefined where the kernel did not say whose process it is. */
export function parseInfo(bytes: Buffer): PidfdInfo | undefined {
  const mask = bytes.readBigUInt64LE(0)
  if ((mask & known.credentials) === 0n) return undefined
  const coredump = (mask & known.coredump) === 0n ? 0 : bytes.readUInt32LE(64)
  const isDumped = (coredump & coredumped) !== 0
  return {
    pid: bytes.readUInt32LE(16),
    tgid: bytes.readUInt32LE(20),
    uid: bytes.readUInt32LE(28),
    gid: bytes.readUInt32LE(32),
    // Both or neither is nobody's business but root's.
    dumpable: isDumped ? ((coredump & (asUser | asRoot)) === asUser ? 1 : 2) : undefined,
    signal: (mask & known.coredumpSignal) === 0n ? undefined : bytes.readUInt32LE(68),
  }
}

/**
 * Signal and thread of a core's beginning, for kernels that don't tell: the first note is the crashed thread's
 * NT_PRSTATUS (elfcore.h: si_signo first, pr_pid after pr_sighold, as the process's own PID namespace numbers it). Of
 * 64-bit little-endian cores. `more`: a longer beginning may tell.
 */
export function peekStatus(head: Buffer): { signal: number; tid: number } | 'more' | undefined {
  if (head.length < 64) return 'more'
  if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined
  const headers = Number(head.readBigUInt64LE(32))
  for (let i = 0; i < 2; i++) {
    const at = headers + 56 * i
    if (at + 56 > head.length) return 'more'
    if (head.readUInt32LE(at) !== 4) continue
    const note = Number(head.readBigUInt64LE(at + 8))
    // Name "CORE", eight bytes padded, type NT_PRSTATUS.
    if (note + 20 + 36 > head.length) return 'more'
    if (head.readUInt32LE(note + 8) !== 1) return undefined
    return { signal: head.readUInt32LE(note + 20), tid: head.readUInt32LE(note + 20 + 32) }
  }
  return undefined
}

/**
 * The signal that a process dies of, from /proc/PID/stat: its last field but none, exit_code, which only who may trace the
 * process sees (proc_pid_stat(5)). 0 where it isn't told.
 */
export function parseStatSignal(stat: string): number {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .trim()
    .split(' ')
  // The third field is the first behind the name, and exit_code the 52nd.
  return Number(fields[49] ?? 0) & 0x7f
}
