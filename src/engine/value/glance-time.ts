/** package time: instants in the zone that the process itself had loaded, durations as Go writes them. */
import { utf8 } from '../bytes/cursor.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { indexOf, lengthOf } from './element.ts'
import type { Glance } from './glance.ts'
import { member, memberInteger } from './member.ts'
import { readInteger, readText } from './scalar.ts'
import { ruleOffset } from './zone-rule.ts'

/** Seconds from 1885, the epoch of times with a monotonic reading, and from year 1 to 1970. */
const wallEpoch = -2682288000n
const yearOne = 62135596800n
/** What a Date can hold. */
const maxSeconds = 8_640_000_000_000n

/**
 * time.Time {wall uint64, ext int64, loc *Location}: with the top bit of wall, 33 bits of seconds since 1885 and a
 * monotonic reading in ext; without, ext counts seconds since year 1. Nanoseconds are the lower 30 bits.
 */
export function timeText(context: ValueContext, time: Variable): Glance | undefined {
  const [wall, ext] = [memberInteger(context, time, 'wall'), memberInteger(context, time, 'ext')]
  if (wall === undefined || ext === undefined) return undefined
  const monotonic = wall >> 63n !== 0n
  const seconds = monotonic ? BigInt.asUintN(33, wall >> 30n) + wallEpoch : ext - yearOne
  if (seconds > maxSeconds || seconds < -maxSeconds) return undefined
  const nanoseconds = wall & ((1n << 30n) - 1n)
  const offset = zoneOffset(context, time, seconds)
  const date = rfc3339(Number(seconds), offset)
  const fraction = nanoseconds === 0n ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`
  const precise = date.replace(/(?=Z|[+-]\d\d:\d\d$)/, fraction)
  const sign = ext < 0n ? '-' : '+'
  const reading = ext < 0n ? -ext : ext
  const since = `${sign}${reading / 1_000_000_000n}.${String(reading % 1_000_000_000n).padStart(9, '0')}`
  return monotonic
    ? { glance: `${precise} m=${since}`, beside: `${date}, ${sign}${reading}` }
    : { glance: precise, beside: date }
}

function rfc3339(seconds: number, offset: number): string {
  const text = new Date((seconds + offset) * 1000).toISOString().slice(0, -5)
  // toISOString writes years outside of 0 to 9999 with a sign and six digits.
  const date = text.replace(/^([+-])0*(\d{4,})/, (_, sign, year) => (sign === '-' ? `-${year}` : year))
  if (offset === 0) return `${date}Z`
  const minutes = Math.trunc(Math.abs(offset) / 60)
  const pad = (n: number): string => String(n).padStart(2, '0')
  return `${date}${offset < 0 ? '-' : '+'}${pad(Math.trunc(minutes / 60))}:${pad(minutes % 60)}`
}

/** Seconds east of UTC, as Location.lookup finds them: the cached zone, the transitions, the rule for what is behind. */
function zoneOffset(context: ValueContext, time: Variable, seconds: bigint): number {
  const pointer = member(context, time, 'loc')
  if (!pointer || readInteger(context, pointer) === 0n) return 0
  const [zones, transitions] = [member(context, time, 'loc.zone'), member(context, time, 'loc.tx')]
  if (zones?.type.kind !== 'slice' || transitions?.type.kind !== 'slice') return 0
  const offsetOf = (zone: Variable | undefined): number => {
    const offset = zone && memberInteger(context, zone, 'offset')
    return offset === undefined ? 0 : Number(offset)
  }
  if (lengthOf(context, zones) === 0) return 0
  const [start, end] = [
    memberInteger(context, time, 'loc.cacheStart'),
    memberInteger(context, time, 'loc.cacheEnd'),
  ]
  const cached = member(context, time, 'loc.cacheZone')
  if (
    cached &&
    start !== undefined &&
    end !== undefined &&
    start <= seconds &&
    seconds < end &&
    readInteger(context, cached) !== 0n
  )
    return offsetOf(cached)
  const at = (i: number): Variable => indexOf(context, transitions, BigInt(i))
  let [low, high] = [0, lengthOf(context, transitions)!]
  const count = high
  while (high - low > 0) {
    const middle = (low + high) >>> 1
    if ((memberInteger(context, at(middle), 'when') ?? 0n) <= seconds) low = middle + 1
    else high = middle
  }
  if (low === 0) return offsetOf(firstStandard(context, zones))
  const extend = member(context, time, 'loc.extend')
  if (low === count && extend) {
    const offset = ruleOffset(utf8(readText(context, extend, 128).bytes), Number(seconds))
    if (offset !== undefined) return offset
  }
  const index = memberInteger(context, at(low - 1), 'index') ?? 0n
  return offsetOf(indexOf(context, zones, index))
}

/** Before the first transition: the first zone that is not summer time. */
function firstStandard(context: ValueContext, zones: Variable): Variable {
  const count = Math.min(lengthOf(context, zones)!, 256)
  for (let i = 0; i < count; i++) {
    const zone = indexOf(context, zones, BigInt(i))
    if (memberInteger(context, zone, 'isDST') === 0n) return zone
  }
  return indexOf(context, zones, 0n)
}

/** As Duration.String: `1h2m3.5s`, `1.5ms`, `0s`. */
export function durationText(context: ValueContext, duration: Variable): string {
  const value = readInteger(context, duration)
  const sign = value < 0n ? '-' : ''
  const ns = value < 0n ? -value : value
  if (ns === 0n) return '0s'
  for (const [unit, name] of [
    [1n, 'ns'],
    [1000n, 'µs'],
    [1_000_000n, 'ms'],
  ] as const)
    if (ns < unit * 1000n) return `${sign}${fixed(ns, unit)}${name}`
  const second = 1_000_000_000n
  const [hours, minutes] = [ns / (3600n * second), (ns / (60n * second)) % 60n]
  const head = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : ''
  return `${sign}${head}${fixed(ns % (60n * second), second)}s`
}

function fixed(value: bigint, unit: bigint): string {
  const rest = value % unit
  if (rest === 0n) return String(value / unit)
  const digits = String(unit).length - 1
  return `${value / unit}.${String(rest).padStart(digits, '0').replace(/0+$/, '')}`
}
