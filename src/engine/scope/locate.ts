/** Places of variables in the process, from what debug information says of them and what a frame knows. */
import { threadLocalAddress } from '../core/thread-local.ts'
import type { DebugFunction, DebugVariable, Global } from '../dwarf/debug-info.ts'
import { evaluateLocation, type LocationContext } from '../dwarf/location.ts'
import { memoryPlace, missingPlace, type Place } from '../type/place.ts'
import type { Frame } from './frame.ts'
import type { Program, Unit } from './program.ts'
import { findPlace } from './recovery.ts'

/** Where the variable is while the frame is at its instruction, or was before; a place that says why where it is nowhere. */
export function placeOf(
  program: Program,
  frame: Frame,
  unit: Unit,
  func: DebugFunction,
  variable: DebugVariable,
): Place {
  return findPlace({ program, frame, unit, func }, variable) ?? missingPlace('optimized out')
}

/** Where a variable outside of functions is. */
export function globalPlace(
  { image }: Program,
  { file }: Unit,
  { addr, location }: Global,
  threadPointer = 0,
): Place {
  if (addr !== undefined) return memoryPlace(image.memory, addr + file.bias)
  const context: LocationContext = {
    memory: image.memory,
    bias: file.bias,
    registers: () => undefined,
    tls: offset => threadLocalAddress(image, file, threadPointer, offset),
  }
  return evaluateLocation(location, context)
}
