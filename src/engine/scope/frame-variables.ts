/** Variables of a frame's function, or of the call that was inlined there, with the places where they are now. */
import { MemoryFault } from '../../base/errors.ts'
import type { DebugFunction, DebugVariable } from '../dwarf/debug-info.ts'
import { memoryPlace, missingPlace, type Place } from '../type/place.ts'
import type { Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { Frame } from './frame.ts'
import { placeOf } from './locate.ts'
import type { Program, Unit } from './program.ts'
import { typeIn } from './recovery.ts'

export class FrameVariables {
  readonly #program: Program
  readonly #frame: Frame
  readonly #found: { readonly unit: Unit; readonly func: DebugFunction } | undefined
  #variables: readonly Variable[] | undefined

  constructor(program: Program, frame: Frame) {
    this.#program = program
    this.#frame = frame
    this.#found = program.debugFunctionAt(frame.lookupPc)
  }

  /** Whether debug information tells the function's variables at all. */
  get known(): boolean {
    return this.#found !== undefined
  }

  /** Outermost scope first, in the order of declaration; those that others hide are marked. */
  all(): readonly Variable[] {
    this.#variables ??= markShadowed(this.#read())
    return this.#variables
  }

  /** Not arguments, not results. */
  locals(): Variable[] {
    return this.all().filter(({ flags }) => !flags.parameter && !flags.result)
  }

  arguments(): Variable[] {
    return this.all().filter(({ flags }) => flags.parameter || flags.result)
  }

  /** The innermost of its name. */
  find(name: string): Variable | undefined {
    return this.all().findLast(variable => variable.name === name)
  }

  #read(): Variable[] {
    if (!this.#found) return []
    const { unit, func } = this.#found
    const pc = this.#frame.lookupPc - unit.file.bias
    const isCall = this.#frame.closure !== undefined
    return func
      .variablesAt(pc, this.#callIn(func, pc))
      .filter(({ name }) => name !== '' && !name.startsWith('.'))
      .filter(({ kind, closureOffset }) => !isCall || kind !== 'local' || closureOffset !== undefined)
      .map(variable => this.#variable(variable, unit, func))
  }

  /** The inlined call that the frame is: pclntab and DWARF tell the same calls, innermost first. */
  #callIn(func: DebugFunction, pc: number): number | 'own' {
    const { index, physical, inlined, function: name } = this.#frame
    if (!inlined) return 'own'
    const calls = func.inlinedAt(pc)
    // Counted from the outermost: that one DWARF cannot lack.
    const same = calls[calls.length - (physical - index)]
    return (
      (same?.name === name ? same : calls.find(call => call.name === name))?.offset ?? same?.offset ?? 'own'
    )
  }

  #variable(variable: DebugVariable, unit: Unit, func: DebugFunction): Variable {
    const { name, kind, escaped, declLine, closureOffset } = variable
    let place = this.#inClosure(variable) ?? placeOf(this.#program, this.#frame, unit, func, variable)
    if (escaped) place = this.#throughPointer(place)
    return {
      name,
      type: this.#realType(variable, unit, func),
      place,
      line: declLine,
      flags: {
        ...(kind === 'parameter' ? { parameter: true } : {}),
        ...(kind === 'result' ? { result: true } : {}),
        ...(escaped ? { escaped } : {}),
        ...(closureOffset ? { captured: true } : {}),
      },
    }
  }

  /** Of a function that is not yet entered there is only what its closure captured. */
  #inClosure({ closureOffset }: DebugVariable): Place | undefined {
    const { closure } = this.#frame
    if (closure === undefined) return undefined
    return closureOffset === undefined
      ? missingPlace('not yet called')
      : memoryPlace(this.#program.image.memory, closure + closureOffset)
  }

  /** Moved to the heap: what lies at its place is its address. */
  #throughPointer(place: Place): Place {
    const { memory } = this.#program.image
    try {
      const bytes = place.read(0, memory.ptrSize)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const addr =
        memory.ptrSize === 8
          ? view.getBigUint64(0, memory.littleEndian)
          : BigInt(view.getUint32(0, memory.littleEndian))
      if (addr === 0n) return missingPlace('not yet allocated')
      return addr < 2n ** 53n
        ? memoryPlace(memory, Number(addr), place.notes)
        : missingPlace(`at an impossible address 0x${addr.toString(16)}`)
    } catch (error) {
      if (error instanceof MemoryFault) return missingPlace(error.message)
      return place
    }
  }

  /** A generic function's variables are of shapes; its dictionary has the types that they stand for. */
  #realType(variable: DebugVariable, unit: Unit, func: DebugFunction): Type {
    const shape = typeIn({ program: this.#program, frame: this.#frame, unit, func }, variable)
    if (variable.dictIndex === undefined) return shape
    const { memory } = this.#program.image
    const pc = this.#frame.lookupPc - unit.file.bias
    const dictionary = func.variablesAt(pc, this.#callIn(func, pc)).find(({ name }) => name === '.dict')
    if (!dictionary) return shape
    try {
      const place = placeOf(this.#program, this.#frame, unit, func, dictionary)
      const addr = Number(new DataView(place.read(0, 8).buffer).getBigUint64(0, memory.littleEndian))
      return this.#program.typeAt(memory.word(addr + variable.dictIndex * memory.ptrSize)) ?? shape
    } catch {
      return shape
    }
  }
}

function markShadowed(variables: readonly Variable[]): Variable[] {
  const seen = new Set<string>()
  return variables
    .toReversed()
    .map(variable => {
      const hidden = seen.has(variable.name)
      seen.add(variable.name)
      return hidden ? { ...variable, flags: { ...variable.flags, shadowed: true } } : variable
    })
    .reverse()
}
