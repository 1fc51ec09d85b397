/**
 * Names as they are seen from a frame: its function's variables by depth, then the function's package, then whatever
 * else the program has, as `dlv` resolves them; and what only a debugger knows, such as registers.
 */
import { NotFoundError } from '../../base/errors.ts'
import { amd64DwarfNames } from '../dwarf/unwind.ts'
import type { Names } from '../expr/names.ts'
import { cBasicType } from '../type/c-basic-type.ts'
import { bytesPlace, memoryPlace } from '../type/place.ts'
import { basicType, type Type, unknownType } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import { bytesOf } from '../value/field.ts'
import type { Frame, Stack } from './frame.ts'
import { FrameVariables } from './frame-variables.ts'
import { findGlobal, findMember } from './globals.ts'
import { type Program, packageOf } from './program.ts'

/** `pc`, `sp` and `fp`, as gdb calls them, and the halves and quarters that assemblers name. */
const aliases: Readonly<Record<string, string>> = { pc: 'rip', sp: 'rsp', fp: 'rbp', ip: 'rip' }
const narrow: Readonly<Record<string, { of: string; bits: number; shift?: number }>> = Object.fromEntries([
  ...['a', 'b', 'c', 'd'].flatMap(letter => [
    [`e${letter}x`, { of: `r${letter}x`, bits: 32 }],
    [`${letter}x`, { of: `r${letter}x`, bits: 16 }],
    [`${letter}l`, { of: `r${letter}x`, bits: 8 }],
    [`${letter}h`, { of: `r${letter}x`, bits: 8, shift: 8 }],
  ]),
  ...['si', 'di', 'bp'].map(name => [`e${name}`, { of: `r${name}`, bits: 32 }]),
  ['esp', { of: 'rsp', bits: 32 }],
  ['eip', { of: 'rip', bits: 32 }],
  ...[8, 9, 10, 11, 12, 13, 14, 15].map(n => [`r${n}d`, { of: `r${n}`, bits: 32 }]),
])

export interface View {
  readonly program: Program
  readonly stack: Stack | undefined
  readonly frame: Frame | undefined
  /** Address of the goroutine's `g`, where the stack is one's. */
  readonly g?: number
  readonly tid?: number
}

export function frameNames(view: View): Names {
  return new FrameNames(view)
}

class FrameNames implements Names {
  readonly #view: View
  #variables: FrameVariables | undefined

  constructor(view: View) {
    this.#view = view
  }

  local(name: string): Variable | undefined {
    return this.#locals?.find(name)
  }

  variable(name: string): Variable | undefined {
    return this.local(name) ?? this.#global(name)
  }

  member(path: string, name: string): Variable | undefined {
    return findMember(this.#view.program, path, name)
  }

  isPackage(name: string): boolean {
    return this.#view.program.isPackage(name)
  }

  type(name: string): Type | undefined {
    const { program, frame } = this.#view
    const found = program.findType(name)
    if (found || name.includes('.') || !frame || frame.language !== 'go') return found
    return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)
      ? program.findType(`${packageOf(frame.function)}.${name}`)
      : undefined
  }

  ownType(name: string): Type | undefined {
    const { program, frame } = this.#view
    if (frame?.language !== 'c') return undefined
    const basic = cBasicType(name, program.image.memory.ptrSize)
    return program.findTypeOfC(basic?.name ?? name, frame.lookupPc) ?? basic
  }

  register(name: string): Variable | undefined {
    const full = aliases[name] ?? name
    const part = narrow[full]
    const value = this.#registerValue(part?.of ?? full)
    if (value === undefined) return undefined
    const bits = part?.bits ?? 64
    return this.#number(name, BigInt.asUintN(bits, value >> BigInt(part?.shift ?? 0)), `uint${bits}`)
  }

  isRegister(name: string): boolean {
    const { arch } = this.#view.program.image
    return name in aliases || name in narrow || arch.registers.includes(name) || name === 'rip'
  }

  special(name: string): Variable | undefined {
    const { program, g, frame, tid } = this.#view
    switch (name) {
      case 'runtime.curg': {
        if (g === undefined) throw new NotFoundError('no goroutine is looked at')
        const type =
          program.findType('runtime.g') ??
          unknownType('runtime.g', 'its fields are not known without debug information')
        return { name, type, place: memoryPlace(program.image.memory, g), flags: {} }
      }
      case 'runtime.frameoff': {
        if (!frame || g === undefined) throw new NotFoundError('no goroutine is looked at')
        const top = program.runtime?.goroutineAt(g).stack.hi ?? 0
        return this.#number(name, BigInt(frame.cfa - top), 'int64')
      }
      case 'runtime.threadid':
        if (tid === undefined) throw new NotFoundError('no thread runs what is looked at')
        return this.#number(name, BigInt(tid), 'uint64')
      default:
        return undefined
    }
  }

  inFrame(n: number, name: string): Variable | undefined {
    const { stack, program } = this.#view
    const frame = stack?.frames[n]
    if (!frame) throw new NotFoundError(`there is no frame ${n}`)
    return new FrameVariables(program, frame).find(name)
  }

  scoped(scope: string, name: string): Variable | undefined {
    const { program, stack } = this.#view
    const holds = ({ function: fn, file }: Frame): boolean =>
      fn === scope || fn.endsWith(`.${scope}`) || file === scope || file.endsWith(`/${scope}`)
    for (const frame of stack?.frames ?? []) {
      const found = holds(frame) ? new FrameVariables(program, frame).find(name) : undefined
      if (found) return found
    }
    return findMember(program, scope, name) ?? this.#findGlobal(name)
  }

  similar(name: string): readonly string[] {
    const wanted = name.toLowerCase()
    const own = this.#locals?.all().map(variable => variable.name) ?? []
    return [...new Set(own)]
      .filter(other => other.toLowerCase() === wanted || isNear(other, wanted))
      .slice(0, 3)
  }

  get #locals(): FrameVariables | undefined {
    const { program, frame } = this.#view
    if (frame) this.#variables ??= new FrameVariables(program, frame)
    return this.#variables
  }

  /** Of the function's own package; for C, and where no frame tells a package, by the bare name. */
  #global(name: string): Variable | undefined {
    const { program, frame } = this.#view
    const own = frame?.language === 'go' ? packageOf(frame.function) : undefined
    const found = own === undefined ? undefined : findMember(program, own, name)
    if (found) return found
    // main is where one looks first, whatever function of the runtime the program died in.
    return (frame?.language === 'c' ? undefined : findMember(program, 'main', name)) ?? this.#findGlobal(name)
  }

  #findGlobal(name: string): Variable | undefined {
    return findGlobal(this.#view.program, name, this.#view.frame?.threadPointer)
  }

  #registerValue(name: string): bigint | undefined {
    const { frame, program, tid } = this.#view
    if (!frame) return undefined
    const number = amd64DwarfNames.indexOf(name as 'rip')
    if (number >= 0) return frame.registers.get(number)?.value
    // Flags and segments are known of the thread's innermost frame only.
    const thread = program.image.core.threads.find(candidate => candidate.tid === tid)
    return frame.index === 0 ? thread?.registers.get(name) : undefined
  }

  #number(name: string, value: bigint, type: string): Variable {
    const { ptrSize, littleEndian } = this.#view.program.image.memory
    const basic = basicType(type, ptrSize)!
    return { name, type: basic, place: bytesPlace(bytesOf(value, basic.size, littleEndian)), flags: {} }
  }
}

/** One letter more, less or other. */
function isNear(other: string, wanted: string): boolean {
  const [long, short] =
    other.length > wanted.length ? [other.toLowerCase(), wanted] : [wanted, other.toLowerCase()]
  if (long.length - short.length > 1 || short.length < 3) return false
  let i = 0
  while (i < short.length && long[i] === short[i]) i++
  return long.slice(i + 1) === short.slice(long.length === short.length ? i + 1 : i)
}
