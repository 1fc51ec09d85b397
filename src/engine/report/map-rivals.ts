/**
 * Who else was at the map when the runtime noticed concurrent use: the map's address is the second argument of the
 * runtime's map functions (runtime/map*.go, internal/runtime/maps), and another goroutine that is not waiting and is in
 * such a function with the same address was using the same map.
 */
import type { Frame, Goroutine } from './report.ts'

export function isMapFunction(name: string): boolean {
  return mapFunction.test(name)
}

const mapFunction = /^(runtime\.map(assign|access|delete|clear|iter)|internal\/runtime\/maps\.)/

/** Goroutines other than the guilty one that were in a function of the same map. */
export function mapRivals(guilty: Goroutine | undefined, all: readonly Goroutine[]): Goroutine[] {
  const map = guilty?.frames.map(mapOf).find(address => address !== undefined)
  if (!guilty || map === undefined) return []
  return all.filter(
    ({ id, status, frames }) =>
      id !== guilty.id && status !== 'waiting' && frames.some(frame => mapOf(frame) === map),
  )
}

/** The map that a frame of a map function works on. */
function mapOf({ function: name, inlined, args }: Frame): string | undefined {
  if (inlined || !isMapFunction(name)) return undefined
  return /^0x[0-9a-f]+\??, (0x[0-9a-f]{4,})\??(,|$)/.exec(args)?.[1]
}
