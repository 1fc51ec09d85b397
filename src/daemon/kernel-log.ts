/**
 * The kernel's log as records (Documentation/ABI/testing/dev-kmsg): each read of /dev/kmsg gives one,
 * `priority,sequence,microseconds since boot,flags;text` and lines of key and value behind it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { setNonBlocking } from './libc.ts'

export interface LogRecord {
  readonly sequence: number
  /** Since the boot. */
  readonly microseconds: number
  /** The kernel's own: nothing that a process writes to /dev/kmsg can claim that. */
  readonly isKernels: boolean
  readonly text: string
}

/** `sequence` of a boot, as far as records have been dealt with. */
export interface LogPosition {
  readonly boot_id: string
  readonly sequence: number
}

export class KernelLogReader {
  readonly #fd: number
  readonly #buffer = Buffer.alloc(16 * 1024)
  readonly #own: boolean

  /** Throws where the log can't be read: fs.dmesg_restrict, a sandbox, a container. */
  constructor(path = '/dev/kmsg') {
    this.#own = !isKernelLog(0)
    // A manager that lets us read it has opened it for us, since our sandbox hides it (StandardInput=file:/dev/kmsg).
    this.#fd = this.#own ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY) : 0
    if (!this.#own && !setNonBlocking(0)) throw new Error('the kernel log can not be read without waiting')
  }

  /** What is there now, in order; `missed` is called where records were overwritten before they were read. */
  *read(missed: () => void): Generator<LogRecord> {
    // The log has room for fewer, so that a flood of lines does not keep us here.
    for (let n = 0; n < 200_000; n++) {
      let length: number
      try {
        length = readSync(this.#fd, this.#buffer)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EINTR') continue
        if (code === 'EPIPE') {
          missed()
          continue
        }
        if (code === 'EAGAIN') return
        throw error
      }
      if (length === 0) return
      const record = parseLogRecord(this.#buffer.toString('latin1', 0, length))
      if (record !== undefined) yield record
    }
  }

  [Symbol.dispose](): void {
    if (this.#own) closeSync(this.#fd)
  }
}

/** Undefined for what is no record. */
export function parseLogRecord(text: string): LogRecord | undefined {
  const match = /^(\d+),(\d+),(\d+)[^;\n]*;([^\n]*)/.exec(text)
  if (match === null) return undefined
  const [priority, sequence, microseconds] = match.slice(1, 4).map(Number) as [number, number, number]
  // Facility 0 (kern) in the upper bits; devkmsg_write gives 1 (user) to whoever asks for it.
  return { sequence, microseconds, isKernels: priority >> 3 === 0, text: match[4]! }
}

/** Character device 1:11 (Documentation/admin-guide/devices.txt). */
function isKernelLog(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev === ((1 << 8) | 11)
  } catch {
    return false
  }
}
