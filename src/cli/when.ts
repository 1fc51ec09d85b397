/** Points in time as people type them. */
import { UsageError } from '../base/errors.ts'
import { parseDuration } from '../config/index.ts'

/**
 * Milliseconds since the epoch of: a duration before now (`90s`, `1h30m`, `3d`, `2 w`), `now`, `today`, `yesterday`,
 * a time of today (`03:14`), a date (`2026-11-22`), a date with time (`2026-11-22 03:14:07`, local time unless it
 * ends in `Z` or an offset), or `@SECONDS` of the epoch.
 */
export function parseWhen(text: string, option = '--since', now = Date.now()): number {
  const value = text.trim()
  const parsed = duration(value, now) ?? word(value, now) ?? date(value, now)
  if (parsed === undefined || Number.isNaN(parsed))
    throw new UsageError(
      `${option} takes an age such as 90s, 1h or 3d, or a date such as 2026-11-22 or "2026-11-22 03:14", not ${JSON.stringify(text)}.`,
    )
  return parsed
}

function duration(text: string, now: number): number | undefined {
  // A bare number could be meant as seconds, an hour or a year.
  if (!/[a-z]/i.test(text) || /^\d{4}-/.test(text)) return undefined
  try {
    return now - parseDuration(text.replace(/\s*ago$/, '')) * 1000
  } catch {
    return undefined
  }
}

function word(text: string, now: number): number | undefined {
  const midnight = new Date(now)
  midnight.setHours(0, 0, 0, 0)
  switch (text) {
    case 'now':
      return now
    case 'today':
      return midnight.getTime()
    case 'yesterday':
      return midnight.setDate(midnight.getDate() - 1)
    default:
      return undefined
  }
}

function date(text: string, now: number): number | undefined {
  const epoch = /^@(\d+(?:\.\d+)?)$/.exec(text)
  if (epoch) return Number(epoch[1]) * 1000
  const time = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (time) return new Date(now).setHours(Number(time[1]), Number(time[2]), Number(time[3] ?? 0), 0)
  const full =
    /^(\d{4}-\d{2}-\d{2})(?:[T ]+(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i.exec(
      text,
    )
  if (!full) return undefined
  const zone = full[3] === undefined ? '' : /^(z|utc)$/i.test(full[3]) ? 'Z' : full[3]
  // A date alone would be read as UTC (ECMA-262, Date.parse); a person means their own midnight.
  return Date.parse(`${full[1]}T${full[2] ?? '00:00'}${zone}`)
}
