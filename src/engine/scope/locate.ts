/** Places of variables in the process, from what debug information says of them and what a frame knows. */
import type { DebugFunction, DebugVariable, Global } from '../dwarf/debug-info.ts'
import { evaluateLocation, type LocationContext } from '../dwarf/location.ts'
import { memoryPlace, missingPlace, type Place } from '../type/place.ts'
import type { Frame } from './frame.ts'
import type { Program, Unit } from './program.ts'

/** Where the variable is while the frame is at its instruction; a place that says why where it is nowhere. */
export function placeOf(
  program: Program,
  frame: Frame,
  { file }: Unit,
  func: DebugFunction,
  variable: DebugVariable,
): Place {
  const expression = variable.locationAt(frame.lookupPc - file.bias)
  if (!expression) return missingPlace('optimized out')
  return evaluateLocation(expression, {
    memory: program.image.memory,
    bias: file.bias,
    registers: number => frame.registers.get(number),
    ...(frame.cfa === 0 ? {} : { cfa: frame.cfa }),
    ...(func.frameBase ? { frameBase: func.frameBase } : {}),
  })
}

/** Where a variable outside of functions is. */
export function globalPlace({ image }: Program, { file }: Unit, { addr, location }: Global): Place {
  if (addr !== undefined) return memoryPlace(image.memory, addr + file.bias)
  const context: LocationContext = { memory: image.memory, bias: file.bias, registers: () => undefined }
  return evaluateLocation(location, context)
}
