/** Sizes, durations and dates as people read them. */

const sizes = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const

/** `212 MB`, `3.1 MB`, `0 B`: decimal units, as disks and networks count. */
export function formatSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < sizes.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${sizes[unit]}`
}

const steps = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const

/** `3 s`, `12 min`, `5 h`, `3 d`: one unit, rounded down, because it names an age. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  for (const [unit, length] of steps) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`
  return `${seconds} s`
}

/** `0.21 s`, `12 s`, `3 min 20 s`: a measured time. */
export function formatSpan(ms: number): string {
  if (ms < 9_995) return `${(ms / 1000).toFixed(ms < 95 ? 3 : 2)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

const two = (n: number): string => String(n).padStart(2, '0')

/** `2026-11-22 03:14:07 UTC`, in the reader's time zone (`+01:00` where it is not UTC). */
export function formatTime(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return 'unknown time'
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  const offset = -date.getTimezoneOffset()
  const zone =
    offset === 0
      ? 'UTC'
      : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${day} ${time} ${zone}`
}
