/** The kernel's log since a moment, from /dev/kmsg (Documentation/ABI/testing/dev-kmsg). Empty where it can't be read. */
import { closeSync, constants, openSync, readSync } from 'node:fs'

/** Microseconds since boot, the clock of the log's records. */
export type KernelMark = number

export const markKernelLog = (): KernelMark => Number(process.hrtime.bigint() / 1000n)

/** Messages after the mark that speak of a core dump or of the process, control bytes escaped. */
export function linesAbout(mark: KernelMark, pid: number): string[] {
  const found: string[] = []
  for (const { time, text } of records()) {
    // The log's clock and CLOCK_MONOTONIC differ by less than a second.
    if (time < mark - 1_000_000) continue
    if (
      /core ?dump|core_pattern|core_pipe_limit|gocore-sink/i.test(text) ||
      new RegExp(`\\b${pid}\\b`).test(text)
    )
      found.push(text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300))
  }
  return found.slice(-5)
}

/** Each read gives one record, `level,sequence,microseconds,flags;text`; a reader that is too slow gets EPIPE and goes on. */
function* records(): Generator<{ time: number; text: string }> {
  let fd: number
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return
  }
  const buffer = Buffer.alloc(8192)
  try {
    for (let read = 0; read < 200_000; read++) {
      let length: number
      try {
        length = readSync(fd, buffer)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EPIPE') continue
        return
      }
      const [head, text] = buffer.toString('latin1', 0, length).split('\n')[0]!.split(/;(.*)/s)
      const time = Number(head!.split(',')[2])
      if (text !== undefined && Number.isFinite(time)) yield { time, text }
    }
  } finally {
    closeSync(fd)
  }
}
