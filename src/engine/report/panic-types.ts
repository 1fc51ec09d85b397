/**
 * The types of panic values that the runtime replaced by their text. preprintpanics writes the string over the error,
 * but the call of gopanic still has the value it was given in its argument slots, as far as the compiler spilled them:
 * believed only where the type there has an Error or String method, which is what makes the runtime replace it.
 */

import type { GoDeath } from '../runtime/death.ts'
import type { Panic } from '../runtime/panic-chain.ts'
import { isErrorOrStringer } from '../runtime/panic-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { GoType, TypeReader } from '../value/rtype.ts'

export interface PanicOrigin {
  readonly type: GoType
  /** The interface's data word. */
  readonly word: number
  /** Where that word lies. */
  readonly addr: number
}

export function panicOrigins(runtime: Runtime, types: TypeReader, death: GoDeath): Map<Panic, PanicOrigin> {
  const origins = new Map<Panic, PanicOrigin>()
  const calls = death.stack.frames.filter(({ func }) => func.role === 'gopanic')
  // Newest first, as the calls are on the stack.
  const panics = death.panics.filter(({ goexit }) => !goexit).reverse()
  const { memory } = runtime
  for (const [i, panic] of panics.entries()) {
    const call = calls[i]
    if (!call) break
    const argp = call.fp + runtime.image.arch.minFrameSize
    if (!memory.has(argp, 2 * memory.ptrSize)) continue
    const type = types.at(memory.word(argp))
    if (!type || !types.inRegion(type.addr)) continue
    const replaced = panic.value.type?.name === 'string' && isErrorOrStringer(types, type)
    if (replaced || type.addr === panic.value.type?.addr)
      origins.set(panic, { type, word: memory.word(argp + memory.ptrSize), addr: argp + memory.ptrSize })
  }
  return origins
}
