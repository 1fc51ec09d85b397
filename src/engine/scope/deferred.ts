/**
 * Calls that were put off with defer and not yet made, in the order in which they would be. A function has either all of
 * them on the list that begins in g._defer (runtime._defer, runtime/runtime2.go), or all in its own frame, where the
 * compiler keeps closures and a byte that tells which of them are due (FUNCDATA_OpenCodedDeferInfo).
 */
import type { Goroutine } from '../runtime/goroutine.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Frame } from './frame.ts'
import type { CodeLocation } from './goroutine-view.ts'
import { openCodedDefers } from './open-coded-defers.ts'

export interface Deferred extends CodeLocation {
  /** Address of the closure. */
  readonly closure: number
  /** Index of the frame of the function with the defer statement; undefined where that is not on the stack. */
  readonly frame: number | undefined
  /** Which of that frame's it is, from 1, as `dlv` counts them. */
  readonly number: number
  /** The defer statement, where the runtime took it down. */
  readonly deferredAt?: CodeLocation
}

/** One of the runtime's list. */
interface Linked {
  readonly closure: number
  /** Stack pointer of the function that deferred it. */
  readonly sp: number
  readonly pc: number
}

const maxDeferred = 10_000

/** `frames`: the goroutine's stack, innermost first. Ends where memory does. */
export function deferredOf(runtime: Runtime, g: Goroutine, frames: readonly Frame[]): Deferred[] {
  const found: Deferred[] = []
  const add = (frame: number | undefined, calls: readonly Omit<Linked, 'sp'>[]): void => {
    for (const [i, { closure, pc }] of calls.entries()) {
      if (found.length >= maxDeferred) return
      const deferredAt = pc === 0 ? undefined : codeAt(runtime, pc, true)
      found.push({
        ...functionOf(runtime, closure),
        ...(deferredAt ? { deferredAt } : {}),
        closure,
        frame,
        number: i + 1,
      })
    }
  }
  const linked = linkedDefers(runtime, g)
  for (const frame of frames) {
    if (frame.inlined || frame.language !== 'go') continue
    const own = linked.filter(({ sp }) => sp >= frame.sp && sp < frame.cfa)
    add(frame.index, own.length > 0 ? own : openCodedDefers(runtime, frame))
    for (const call of own) linked.splice(linked.indexOf(call), 1)
  }
  add(undefined, linked)
  return found
}

function functionOf(runtime: Runtime, closure: number): CodeLocation {
  const { memory } = runtime
  const pc = memory.has(closure, memory.ptrSize) ? memory.word(closure) : 0
  return codeAt(runtime, pc, false) ?? { function: '??', file: '', line: 0, pc }
}

function codeAt({ symtab }: Runtime, pc: number, call: boolean): CodeLocation | undefined {
  const func = symtab.findFunc(pc)
  return func && { function: func.name, ...func.lineAt(call ? pc - 1 : pc), pc }
}

/** runtime.badDefer: nothing more can be deferred from the body of a range-over-func loop. */
const badDefer = 1

/** Newest first, without those that run already, and those that before Go 1.22 stand for a whole frame. */
function linkedDefers({ memory, layout }: Runtime, g: Goroutine): Linked[] {
  const field = (name: string): number | undefined => layout.find(`_defer.${name}`)
  const [spAt, pcAt, fnAt, linkAt] = ['sp', 'pc', 'fn', 'link'].map(field)
  const list: Linked[] = []
  if (spAt === undefined || pcAt === undefined || fnAt === undefined || linkAt === undefined) return list
  const size = linkAt + memory.ptrSize
  const seen = new Set<number>()
  const isThere = (at: number): boolean => {
    if (at === 0 || at === badDefer || seen.has(at) || seen.size >= maxDeferred) return false
    seen.add(at)
    return memory.has(at, size)
  }
  const flag = (at: number, name: string): boolean => {
    const offset = field(name)
    return offset !== undefined && memory.u8(at + offset) !== 0
  }
  const visit = (first: number, place?: Omit<Linked, 'closure'>): void => {
    for (let at = first; isThere(at); at = memory.word(at + linkAt)) {
      const here = place ?? { sp: memory.word(at + spAt), pc: memory.word(at + pcAt) }
      const headAt = field('head')
      if (headAt !== undefined && flag(at, 'rangefunc')) {
        // What the loop's body deferred hangs on a list of its own, without a place.
        const head = memory.has(at + headAt, memory.ptrSize) ? memory.word(at + headAt) : 0
        if (!place && memory.has(head, memory.ptrSize)) visit(memory.word(head), here)
      } else if (!flag(at, 'started') && !flag(at, 'openDefer'))
        list.push({ ...here, closure: memory.word(at + fnAt) })
    }
  }
  visit(g.field('_defer') ?? 0)
  return list
}
