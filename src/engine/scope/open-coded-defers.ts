/**
 * Deferred calls that the compiler keeps in the frame of their function (cmd/compile, ssagen.(*state).emitOpenDeferInfo):
 * a byte with a bit for each call that is due, and a slot for each closure. FUNCDATA_OpenCodedDeferInfo says how far
 * below the frame's variables they lie; runtime.(*_panic).initOpenCodedDefers reads it, before Go 1.22
 * runtime.runOpenDeferFrame.
 */
import type { Memory } from '../core/memory.ts'
import { FuncData } from '../gosym/index.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from './frame.ts'

export interface OpenCodedDefer {
  /** Address of the closure. */
  readonly closure: number
  /** None is taken down. */
  readonly pc: 0
}

const maxDefers = 8

/** Newest first; empty where the function has none, or where what lies there cannot be them. */
export function openCodedDefers({ memory, symtab, context }: Runtime, frame: Frame): OpenCodedDefer[] {
  const info = frame.func?.funcdata(FuncData.openCodedDeferInfo) ?? 0
  const varp = info === 0 ? undefined : variablesOf(context.arch, frame)
  if (varp === undefined) return []
  const layout = readInfo(memory, info, context.goMinor)
  const bitsAt = layout && varp - layout.bits
  if (!layout || bitsAt === undefined || bitsAt < frame.sp || !memory.has(bitsAt, 1)) return []
  const bits = memory.u8(bitsAt)
  const calls: OpenCodedDefer[] = []
  for (let i = maxDefers - 1; i >= 0; i--) {
    if ((bits & (1 << i)) === 0) continue
    const offset = layout.slot(i)
    const slot = offset === undefined ? 0 : varp - offset
    const closure = slot >= frame.sp && memory.has(slot, memory.ptrSize) ? memory.word(slot) : 0
    const pc = memory.has(closure, memory.ptrSize) ? memory.word(closure) : 0
    // Interrupted before the byte was written, the frame holds what was there before it.
    if (symtab.findFunc(pc)?.entry !== pc) return []
    calls.push({ closure, pc: 0 })
  }
  return calls
}

/** stkframe.varp: the top of the variables, below the return address and the caller's frame pointer. */
function variablesOf(
  { ptrSize, lr, savesFramePointer }: Runtime['context']['arch'],
  { sp, cfa }: Frame,
): number | undefined {
  const top = lr === undefined ? cfa - ptrSize : cfa
  if (top <= sp) return undefined
  return savesFramePointer ? top - ptrSize : top
}

interface Info {
  /** Below the top of the variables: the byte of bits, and the slot of a closure. */
  readonly bits: number
  slot(i: number): number | undefined
}

function readInfo(memory: Memory, at: number, goMinor: number): Info | undefined {
  let next = at
  const varint = (): number | undefined => {
    let value = 0
    for (let shift = 0; shift < 35 && memory.has(next, 1); shift += 7) {
      const byte = memory.u8(next++)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return undefined
  }
  const bits = varint()
  const second = varint()
  if (bits === undefined || second === undefined) return undefined
  // Since Go 1.22 the closures are one array, the first of them lowest.
  if (goMinor >= 22) return { bits, slot: i => second - i * memory.ptrSize }
  if (second > maxDefers) return undefined
  const offsets = Array.from({ length: second }, varint).reverse()
  return { bits, slot: i => offsets[i] }
}
