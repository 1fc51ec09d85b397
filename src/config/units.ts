/**
 * Sizes and durations as people write them in configuration and on the command line, with the units of
 * systemd.time(7) and systemd.syntax(7). Each `parse` throws an Error whose message fits after "Key: ".
 */

const sizeUnits = ['', 'K', 'M', 'G', 'T', 'P'] as const

/** Bytes: `10G`, `1.5 GiB`, `4096`. Units are powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:i?B)?$/i.exec(text.trim())
  const bytes = match
    ? Math.round(Number(match[1]) * 1024 ** sizeUnits.indexOf(match[2]!.toUpperCase() as 'K'))
    : Number.NaN
  if (!Number.isSafeInteger(bytes))
    throw new Error(`${JSON.stringify(text)} is not a size such as 512M or 10G`)
  return bytes
}

/** The shortest exact text that parseSize reads back: `10G`. */
export function formatSize(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1024 && value % 1024 === 0 && unit < sizeUnits.length - 1) {
    value /= 1024
    unit++
  }
  return `${value}${sizeUnits[unit]}`
}

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const year = 365.25 * day
const durationUnits: [names: string[], seconds: number][] = [
  [['ms', 'msec'], 0.001],
  [['', 's', 'sec', 'second', 'seconds'], 1],
  [['m', 'min', 'minute', 'minutes'], minute],
  [['h', 'hr', 'hour', 'hours'], hour],
  [['d', 'day', 'days'], day],
  [['w', 'week', 'weeks'], 7 * day],
  [['M', 'month', 'months'], year / 12],
  [['y', 'year', 'years'], year],
]

/** Seconds: `90`, `5min`, `1h 30min`, `30d`. `M` is months and `m` minutes, as in systemd. */
export function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)/gy)]
  const consumed = parts.reduce((sum, part) => sum + part[0].length, 0)
  let seconds = parts.length > 0 && consumed === text.trim().length ? 0 : Number.NaN
  for (const [, count, name] of parts) {
    const unit = durationUnits.find(([names]) => names.includes(name!))
    seconds += unit ? Number(count) * unit[1] : Number.NaN
  }
  if (!Number.isFinite(seconds))
    throw new Error(`${JSON.stringify(text)} is not a duration such as 90s, 5min or 30d`)
  return seconds
}

/** The shortest exact text that parseDuration reads back: `30d`, `90s`. */
export function formatDuration(seconds: number): string {
  const unit = durationUnits.findLast(
    ([names, size]) => names[0] !== 'M' && seconds >= size && seconds % size === 0,
  )
  if (seconds === 0) return '0'
  return unit && unit[1] >= 1
    ? `${seconds / unit[1]}${shortName(unit[0])}`
    : `${Math.round(seconds * 1000)}ms`
}

const shortName = (names: string[]): string => (names[0] === 'm' ? 'min' : names[0] || 's')

/** A share as people write it, `5%`. */
export const formatShare = (share: number): string => `${Number((share * 100).toFixed(6))}%`
