/**
 * The kernel log: the one place that is there with no daemon, no network and no disk, since descriptors 1 and 2 are
 * closed. A line of /dev/kmsg holds less than a kilobyte (LOG_LINE_MAX, kernel/printk), so lines are cut.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { onOneLine } from '../base/escape.ts'

/** Syslog priorities of the facility `user`. */
const priority = { notice: 13, warning: 12, error: 11 } as const
export type Level = keyof typeof priority

const mostBytes = 900

/** /dev/kmsg, Documentation/admin-guide/devices.txt. */
const kernelLogDevice = (1 << 8) | 11
/** Whoever may not open the kernel log, or sees no devices, may have been given it as standard output. */
const passed = 1
export const isLogPassed = isKernelLog(passed)
/**
 * The same opened anew, which takes CAP_DAC_OVERRIDE of a user who is not root: where kernel.printk_devkmsg is `ratelimit`, what
 * is opened once takes ten lines in five seconds, from all who share it, and drops the rest.
 */
const anew = `/proc/self/fd/${passed}`

export class KernelLog {
  readonly #path: string
  readonly #fallback: (line: string) => void

  /** `fallback` hears what the kernel log refuses. */
  constructor(path = '/dev/kmsg', fallback: (line: string) => void = toStandardError) {
    this.#path = path
    this.#fallback = fallback
  }

  /** Never throws. `text` has been escaped by the caller where it carries foreign bytes. */
  write(level: Level, text: string): void {
    const line = `gocore-sink: ${onOneLine(text)}`
    const bytes = Buffer.from(`<${priority[level]}>${line}`)
    // Without its newline the kernel keeps a line open, unseen by every reader, until the next one comes.
    const end = bytes.length <= mostBytes ? '\n' : '…\n'
    const cut = Buffer.concat([bytes.subarray(0, mostBytes), Buffer.from(end)])
    try {
      append(isLogPassed ? anew : this.#path, cut)
    } catch {
      this.#instead(line, cut)
    }
  }

  #instead(line: string, cut: Buffer): void {
    try {
      if (!isLogPassed) this.#fallback(line)
      else writeSync(passed, cut)
    } catch {
      this.#fallback(line)
    }
  }
}

function append(path: string, bytes: Buffer): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_APPEND)
  try {
    writeSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

function isKernelLog(fd: number): boolean {
  try {
    return fstatSync(fd).rdev === kernelLogDevice
  } catch {
    return false
  }
}

function toStandardError(line: string): void {
  try {
    writeSync(2, `${line}\n`)
  } catch {
    // Nobody is left to tell.
  }
}
