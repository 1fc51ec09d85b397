/**
 * Lines on standard error: with the priority that the journal reads (`<4>`, sd-daemon(3)) where it listens, with the time
 * where a person does. What a line quotes may come from a dump, so controls are escaped.
 */
import { fstatSync, writeSync } from 'node:fs'
import { escapeText } from '../base/escape.ts'
import type { LogLevel } from '../config/index.ts'
import { type EventName, type Fields, journalEntry, levelOf, sendToJournal } from './monitor/journal.ts'

export type Log = Record<LogLevel, (text: string) => void> & {
  level: LogLevel
  /** A line of a known kind: the journal gets its id and fields besides. */
  event(name: EventName, text: string, fields?: Fields): void
}

/** As syslog numbers them. */
const priorities: Record<LogLevel, number> = { debug: 7, info: 6, warning: 4, error: 3 }

export function openLog(level: LogLevel, options: { fd?: number; journal?: boolean } = {}): Log {
  const { fd = 2, journal = isJournal(fd) } = options
  const at = (own: LogLevel) => (text: string) => {
    if (priorities[own] > priorities[log.level]) return
    const start = journal ? `<${priorities[own]}>` : `${new Date().toISOString()} ${own}: `
    try {
      writeSync(fd, `${start}${escapeText(text, 16 * 1024)}\n`)
    } catch {
      // Nobody reads any more; the work goes on.
    }
  }
  const log: Log = {
    ...{ level, debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error') },
    event(name, text, fields) {
      const own = levelOf(name)
      const priority = priorities[own]
      if (priority > priorities[log.level]) return
      if (!journal || !sendToJournal(journalEntry(priority, name, text, fields))) log[own](text)
    },
  }
  return log
}

/** systemd names the stream that it connected to the journal by device and inode. */
function isJournal(fd: number, stream = process.env.JOURNAL_STREAM): boolean {
  if (!stream) return false
  try {
    const { dev, ino } = fstatSync(fd)
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}
