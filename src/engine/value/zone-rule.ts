/**
 * The rule behind a time zone's last transition, in the words of POSIX's TZ: `CET-1CEST,M3.5.0,M10.5.0/3`. Zone files
 * of today have little else.
 */

const day = 86_400

interface Zone {
  /** Seconds east of UTC. */
  readonly offset: number
}

/** Seconds east of UTC at an instant (seconds since 1970); undefined for a rule that is none. */
export function ruleOffset(rule: string, seconds: number): number | undefined {
  const [names = '', from, to] = rule.split(',')
  const match = /^(<[^>]+>|[A-Za-z]{3,})([+-]?[\d:]+)(?:(<[^>]+>|[A-Za-z]{3,})([+-]?[\d:]+)?)?$/.exec(names)
  if (!match) return undefined
  const standard: Zone = { offset: -clock(match[2]!) }
  if (match[3] === undefined) return standard.offset
  const summer: Zone = { offset: match[4] === undefined ? standard.offset + 3600 : -clock(match[4]) }
  const year = new Date((seconds + standard.offset) * 1000).getUTCFullYear()
  const start = changeAt(from ?? 'M3.2.0', year)
  const end = changeAt(to ?? 'M11.1.0', year)
  if (start === undefined || end === undefined) return undefined
  // Each change is on the clock of the zone before it.
  const [begins, ends] = [start - standard.offset, end - summer.offset]
  const isSummer =
    begins < ends ? seconds >= begins && seconds < ends : !(seconds >= ends && seconds < begins)
  return isSummer ? summer.offset : standard.offset
}

/** `-1`, `+5:30`, `167`: seconds. */
function clock(text: string): number {
  const [hours = '0', minutes = '0', rest = '0'] = text.replace(/^[+-]/, '').split(':')
  return (text.startsWith('-') ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(rest))
}

/** Local seconds since 1970 of `Mm.w.d/time` (the w-th weekday d of month m, 5 the last), `Jn` or `n` (days of a year). */
function changeAt(text: string, year: number): number | undefined {
  const [date = '', time = '2'] = text.split('/')
  const at = clock(time)
  const start = Date.UTC(year, 0, 1) / 1000
  const days = /^(J?)(\d+)$/.exec(date)
  if (days) {
    const n = Number(days[2])
    const leap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1
    const index = days[1] === '' ? n : n - 1 + (leap && n >= 60 ? 1 : 0)
    return start + index * day + at
  }
  const match = /^M(\d+)\.([1-5])\.([0-6])$/.exec(date)
  if (!match) return undefined
  const [month, week, weekday] = [Number(match[1]) - 1, Number(match[2]), Number(match[3])]
  const first = new Date(Date.UTC(year, month, 1))
  let date1 = 1 + ((weekday - first.getUTCDay() + 7) % 7) + (week - 1) * 7
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  while (date1 > length) date1 -= 7
  return Date.UTC(year, month, date1) / 1000 + at
}
