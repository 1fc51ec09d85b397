/**
 * A progress line for work that takes longer than a second: on standard error, only where that is a terminal, and
 * wiped when the work ends. Most of our long work is synchronous, so the line is redrawn by those who do the work
 * calling `update`, not by a timer.
 */
import { writeSync } from 'node:fs'
import { printable } from './escape.ts'
import { formatSize } from './units.ts'

export interface Progress {
  /** `done` of `total` bytes (or of whatever `format` prints); without a total the time is shown. */
  update(done: number, total?: number): void
  [Symbol.dispose](): void
}

const firstAfter = 1000
const every = 100

/** Those that may still draw: whoever prints results ends them. */
const drawing = new Set<() => void>()

/** Wipes progress lines and draws no more of them: what follows on the terminal is the answer. */
export function endProgress(): void {
  for (const end of drawing) end()
  drawing.clear()
}

const silent: Progress = { update: () => {}, [Symbol.dispose]: () => {} }

/** Starts a progress line named by what is being done: `reading ./core`. */
export function startProgress(
  label: string,
  options: { format?: (n: number) => string; stream?: NodeJS.WriteStream } = {},
): Progress {
  const stream = options.stream ?? process.stderr
  if (!stream.isTTY) return silent
  const format = options.format ?? formatSize
  // Labels have names of files in them.
  const shown = printable(label)
  const started = performance.now()
  let drawn = 0
  let ended = false
  const write = (text: string): void => {
    try {
      writeSync((stream as { fd?: number }).fd ?? 2, text)
    } catch {
      // A progress line that can't be drawn is no reason to stop.
    }
  }
  const end = (): void => {
    if (drawn > 0 && !ended) write('\r\x1b[K')
    ended = true
  }
  drawing.add(end)
  return {
    update(done, total) {
      if (ended) return
      const now = performance.now()
      if (now - started < firstAfter || now - drawn < every) return
      drawn = now
      write(
        `\r\x1b[K${progressLine(shown, done, total, (now - started) / 1000, stream.columns || 80, format)}`,
      )
    },
    [Symbol.dispose]() {
      end()
      drawing.delete(end)
    },
  }
}

/** `export 7f3k2m  ███████░░░░░░░  48 %  1.2 GB of 2.5 GB, 3 s left`. */
export function progressLine(
  label: string,
  done: number,
  total: number | undefined,
  seconds: number,
  width: number,
  format: (n: number) => string = formatSize,
): string {
  // How much has been read says little where parts are read more than once.
  if (total === undefined || total <= 0) return `${label}, ${Math.floor(seconds)} s`.slice(0, width - 1)
  const part = Math.min(1, done / total)
  const left = part > 0.02 ? `, ${Math.ceil((seconds / part) * (1 - part))} s left` : ''
  const numbers = `${String(Math.floor(part * 100)).padStart(3)} %  ${format(done)} of ${format(total)}${left}`
  const room = Math.min(30, width - label.length - numbers.length - 6)
  if (room < 5) return `${label} ${numbers}`.slice(0, width - 1)
  const full = Math.round(part * room)
  return `${label}  ${'█'.repeat(full)}${'░'.repeat(room - full)} ${numbers}`
}
