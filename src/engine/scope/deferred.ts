/** runtime._defer (runtime/runtime2.go): calls that were put off with defer, a list that begins in g._defer. */
import type { Goroutine } from '../runtime/goroutine.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { CodeLocation } from './goroutine-view.ts'

export interface Deferred extends CodeLocation {
  /** Stack pointer of the function that deferred it. */
  readonly sp: number
  /** Address of the closure. */
  readonly closure: number
}

const maxDeferred = 10_000

/** Newest first; ends where memory does. */
export function deferredOf({ memory, layout, symtab }: Runtime, g: Goroutine): Deferred[] {
  const [spAt, fnAt, linkAt] = ['sp', 'fn', 'link'].map(field => layout.find(`_defer.${field}`))
  const list: Deferred[] = []
  if (spAt === undefined || fnAt === undefined || linkAt === undefined) return list
  const seen = new Set<number>()
  let at = g.field('_defer') ?? 0
  while (at !== 0 && !seen.has(at) && list.length < maxDeferred && memory.has(at, linkAt + memory.ptrSize)) {
    seen.add(at)
    const closure = memory.word(at + fnAt)
    const pc = memory.has(closure, memory.ptrSize) ? memory.word(closure) : 0
    const func = symtab.findFunc(pc)
    const where = func ? { function: func.name, ...func.lineAt(pc) } : { function: '??', file: '', line: 0 }
    list.push({ ...where, pc, sp: memory.word(at + spAt), closure })
    at = memory.word(at + linkAt)
  }
  return list
}
