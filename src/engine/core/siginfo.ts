/** `siginfo_t`: NT_SIGINFO, and the copies that signal frames hold (include/uapi/asm-generic/siginfo.h). */
import { viewOf } from '../bytes/layout.ts'

export interface Siginfo {
  readonly signo: number
  readonly errno: number
  readonly code: number
  /** si_addr of faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP). */
  readonly addr?: bigint
  /** si_pid and si_uid of signals that a process sent. */
  readonly pid?: number
  readonly uid?: number
}

/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: codes above 0 mean that the hardware found it. */
const faults = new Set([4, 5, 7, 8, 11])

/** Bytes that `readSiginfo` needs. */
export const siginfoSize = 32

/** `mips` orders code and errno the other way round. */
export function readSiginfo(
  bytes: Uint8Array,
  { littleEndian, ptrSize, machine }: { littleEndian: boolean; ptrSize: number; machine?: number },
): Siginfo | undefined {
  if (bytes.length < siginfoSize) return undefined
  const view = viewOf(bytes)
  const signo = view.getInt32(0, littleEndian)
  const [second, third] = [view.getInt32(4, littleEndian), view.getInt32(8, littleEndian)]
  const [errno, code] = machine === 8 ? [third, second] : [second, third]
  const union = ptrSize === 8 ? 16 : 12
  // SI_KERNEL is 0x80 and SI_USER 0; negative codes are SI_TKILL, SI_QUEUE and the like, all with pid and uid.
  if (code > 0 && code !== 0x80 && faults.has(signo)) {
    const addr =
      ptrSize === 8 ? view.getBigUint64(union, littleEndian) : BigInt(view.getUint32(union, littleEndian))
    return { signo, errno, code, addr }
  }
  if (code === 0x80) return { signo, errno, code, ...(faults.has(signo) ? { addr: 0n } : {}) }
  return {
    signo,
    errno,
    code,
    pid: view.getInt32(union, littleEndian),
    uid: view.getUint32(union + 4, littleEndian),
  }
}
