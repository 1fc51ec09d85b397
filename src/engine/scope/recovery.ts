/**
 * Values in the frames above the innermost, where Go keeps nothing in registers across a call. What was in a register
 * at the call may also lie in a slot of the frame, which is as good, or it went on as an argument of the callee and lies
 * where that keeps it; that is said, for the callee may have assigned to it. A slot that the compiler no longer names is
 * never looked at: its location lists follow a value until its place is written, so what they left is not it.
 */
import { MemoryFault } from '../../base/errors.ts'
import { threadLocalAddress } from '../core/thread-local.ts'
import type { DebugFunction, DebugVariable } from '../dwarf/debug-info.ts'
import {
  evaluateLocation,
  evaluateValue,
  type KnownRegister,
  type LocationContext,
} from '../dwarf/location.ts'
import { type LocationPart, locationParts } from '../dwarf/location-shape.ts'
import { OptimizedOut, type Place } from '../type/place.ts'
import type { Type } from '../type/type.ts'
import type { Frame, RegisterValue } from './frame.ts'
import type { Program, Unit } from './program.ts'

/** Calls that one value is followed through. */
const maxDepth = 16

/** A frame's function with all that its variables' locations may ask of the frame. */
export interface Located {
  readonly program: Program
  readonly frame: Frame
  readonly unit: Unit
  readonly func: DebugFunction
}

/** What locations are worked out with in a frame; registers that are not known there are looked for. */
export function locationContext({ program, frame, unit, func }: Located, depth = 0): LocationContext {
  return {
    memory: program.image.memory,
    bias: unit.file.bias,
    registers: number => frame.registers.get(number) ?? recoverRegister(program, frame, number, depth),
    entryValue: number => entryValue(program, frame, number, depth),
    tls: offset => threadLocalAddress(program.image, unit.file, frame.threadPointer ?? 0, offset),
    ...(frame.cfa === 0 ? {} : { cfa: frame.cfa }),
    ...(func.frameBase ? { frameBase: func.frameBase } : {}),
  }
}

/**
 * The place of a variable; undefined where the compiler kept none. Go's compiler names one place only, and at a call
 * that is the register in which the value goes on; what it names right behind the call is a slot that had the value all
 * the while, for the call itself writes no slot of its caller.
 */
export function findPlace(located: Located, variable: DebugVariable, depth = 0): Place | undefined {
  const { frame, unit } = located
  const expression = variable.locationAt(frame.lookupPc - unit.file.bias)
  const known =
    expression && evaluateLocation(expression, { ...locationContext(located, depth), registers: own(frame) })
  if (known && isThere(known, variable)) return known
  const spilled = spilledPlace(located, variable)
  if (spilled && isThere(spilled, variable)) return spilled
  return expression && evaluateLocation(expression, locationContext(located, depth))
}

const own =
  (frame: Frame): LocationContext['registers'] =>
  number =>
    frame.registers.get(number)

/** The type of a variable, with the length that an array has in this frame. */
export function typeIn(located: Located, variable: DebugVariable): Type {
  if (!variable.typeIn) return variable.type()
  const context = locationContext(located)
  const type = variable.typeIn(located.frame.lookupPc - located.unit.file.bias, (expression, is) =>
    is === 'value'
      ? evaluateValue(expression, context)?.value
      : wordAt(
          located.program,
          evaluateLocation(expression, context),
          0,
          located.program.image.memory.ptrSize,
        ),
  )
  return type ?? variable.type()
}

/** Whether all of it can be read. Memory that is not in the core is no reason to look elsewhere. */
function isThere(place: Place, variable: DebugVariable): boolean {
  try {
    place.read(0, Math.min(variable.type().size, 256))
    return true
  } catch (error) {
    if (error instanceof OptimizedOut) return false
    if (error instanceof MemoryFault) return true
    throw error
  }
}

/** The value of a register at the call that the frame is in: the argument that the callee got in it. */
export function recoverRegister(
  program: Program,
  frame: Frame,
  register: number,
  depth = 0,
): RegisterValue | undefined {
  const callee = frame.near?.().callee
  if (callee?.language !== 'go' || frame.language !== 'go' || depth >= maxDepth) return undefined
  const found = program.debugFunctionAt(callee.lookupPc)
  if (!found) return undefined
  const located = { program, frame: callee, ...found }
  for (const variable of found.func.scope().variables) {
    const part = variable.kind === 'parameter' ? partIn(variable, found.func.low, register) : undefined
    const place = part && findPlace(located, variable, depth + 1)
    const value =
      place && wordAt(program, place, part.offset, Math.min(part.size, variable.type().size - part.offset))
    if (value === undefined) continue
    const note = `from argument ${variable.name} of ${callee.function}, unless that assigned to it`
    return { value, origin: 'recovered', note: [note, ...(place?.notes ?? [])].join('; ') }
  }
  return undefined
}

/** The part of a parameter that is in the register when the function begins. */
function partIn(variable: DebugVariable, entry: number, register: number): LocationPart | undefined {
  const expression = variable.locationAt(entry)
  const parts = expression && locationParts(expression)
  return parts?.find(part => part.kind === 'register' && part.register === register)
}

function wordAt(
  { image: { memory } }: Program,
  place: Place,
  offset: number,
  size: number,
): bigint | undefined {
  if (!(size >= 1 && size <= 16)) return undefined
  try {
    const bytes = [...place.read(offset, size)]
    if (memory.littleEndian) bytes.reverse()
    return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  } catch (error) {
    if (error instanceof OptimizedOut || error instanceof MemoryFault) return undefined
    throw error
  }
}

/** C: what the caller says that it passed (DW_TAG_call_site), worked out in the caller's frame. */
function entryValue(
  program: Program,
  frame: Frame,
  register: number,
  depth: number,
): KnownRegister | undefined {
  const caller = frame.near?.().caller
  if (caller?.language !== 'c' || depth >= maxDepth) return undefined
  const found = program.debugFunctionAt(caller.lookupPc)
  const site = found?.func.callSiteAt(caller.pc - found.unit.file.bias)
  const expression = site?.get(register)
  if (!found || !expression) return undefined
  const known = evaluateValue(expression, locationContext({ program, frame: caller, ...found }, depth + 1))
  return known && { value: known.value, note: known.note ?? `as ${caller.function} passed it` }
}

/** Where the variable is at the return address, if that is in the frame and nowhere else. */
function spilledPlace(located: Located, variable: DebugVariable): Place | undefined {
  const { frame, unit, func } = located
  if (func.language !== 'go' || frame.cfa === 0 || frame.pc === frame.lookupPc) return undefined
  const expression = variable.locationAt(frame.pc - unit.file.bias)
  const parts = (expression && locationParts(expression)) ?? []
  if (!expression || parts.length === 0 || !parts.every(({ kind }) => kind === 'slot')) return undefined
  const where = parts.map(part => (part.kind === 'slot' ? slotName(part.from) : '')).join(', ')
  const place = evaluateLocation(expression, { ...locationContext(located), registers: own(frame) })
  return { ...place, notes: [`spilled at ${where} by ${func.name}`] }
}

function slotName(from: number): string {
  return `CFA${from < 0 ? '-' : '+'}0x${Math.abs(from).toString(16)}`
}
