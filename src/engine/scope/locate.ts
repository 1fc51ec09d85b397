/** Places of variables in the process, from what debug information says of them and what a frame knows. */
import type { DebugFunction, DebugVariable, Global } from '../dwarf/debug-info.ts'
import { memoryPlace, missingPlace, type Place } from '../type/place.ts'
import type { Frame } from './frame.ts'
import type { Program, Unit } from './program.ts'

export function placeOf(
  _program: Program,
  _frame: Frame,
  _unit: Unit,
  _func: DebugFunction,
  _variable: DebugVariable,
): Place {
  return missingPlace()
}

export function globalPlace(program: Program, { file }: Unit, { addr }: Global): Place {
  return addr === undefined ? missingPlace() : memoryPlace(program.image.memory, addr + file.bias)
}
