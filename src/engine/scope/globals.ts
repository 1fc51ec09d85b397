/** What belongs to no function: package variables, constants, functions by name, and what symbol tables alone know. */
import { bytesPlace, memoryPlace, missingPlace } from '../type/place.ts'
import { type Type, unknownType } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import { bytesOf } from '../value/field.ts'
import { globalPlace } from './locate.ts'
import type { Program } from './program.ts'

/** `path.name` of Go: a package variable, a function, a constant. */
export function findMember(program: Program, path: string, name: string): Variable | undefined {
  return findGlobal(program, `${path}.${name}`)
}

/**
 * By its full name, or the name behind the package path's last slash; C's by their own. A thread-local variable is the
 * one of the thread with this thread pointer.
 */
export function findGlobal(program: Program, name: string, threadPointer?: number): Variable | undefined {
  for (const unit of program.units()) {
    const global = unit.info.findGlobal(name)
    if (global)
      return {
        name,
        type: global.type(),
        place: globalPlace(program, unit, global, threadPointer),
        flags: {},
      }
  }
  return findFunction(program, name) ?? findConstant(program, name) ?? findSymbol(program, name)
}

/** A function as a value of its own: where its code begins. */
function findFunction(program: Program, name: string): Variable | undefined {
  const entry = program.functionEntry(name)
  if (entry === undefined) return undefined
  const { memory } = program.image
  const type: Type = {
    kind: 'int',
    name: 'func',
    size: memory.ptrSize,
    language: 'go',
    from: 'dwarf',
    named: false,
    signed: false,
    uintptr: true,
  }
  const place = { ...bytesPlace(bytesOf(BigInt(entry), memory.ptrSize, memory.littleEndian)), addr: entry }
  return { name, type, place, flags: { constant: true } }
}

function findConstant(program: Program, name: string): Variable | undefined {
  const { memory } = program.image
  for (const { info } of program.units()) {
    const constant = info.findConstant(name)
    if (!constant) continue
    const type = constant.type()
    const place = bytesPlace(bytesOf(constant.value, type.size, memory.littleEndian))
    // An enumerator is shown by its name, which a constant's own value is not.
    return { name, type, place, flags: type.kind === 'enum' ? {} : { constant: true } }
  }
  return undefined
}

/** Without debug information a symbol has a place and a size, but no type; `*(*T)(&name)` gives it one. */
function findSymbol(program: Program, name: string): Variable | undefined {
  const symbol = program.findSymbol(name)
  if (!symbol) return undefined
  const type = unknownType(
    name,
    `its type is not known without debug information; *(*T)(&${name}) gives it one`,
    symbol.size,
  )
  const place = symbol.addr === 0 ? missingPlace() : memoryPlace(program.image.memory, symbol.addr)
  return { name, type, place, flags: {} }
}
