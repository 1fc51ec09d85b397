/** A variable: a name for the value of a type at a place. Fields, elements and results of expressions are variables, too. */
import type { Place } from './place.ts'
import type { Type } from './type.ts'

export interface VariableFlags {
  readonly parameter?: boolean
  readonly result?: boolean
  /** Moved to the heap: declared as `x`, kept as `&x`. */
  readonly escaped?: boolean
  /** Another one of its name, declared further inside, hides it. */
  readonly shadowed?: boolean
  /** Of a closure: it belongs to the function around. */
  readonly captured?: boolean
  /** Of no place in the program: a literal, or computed from one. */
  readonly constant?: boolean
  /** Made by an expression, as `&x` or a cast: a pointer whose value one knows is shown without what it points to. */
  readonly computed?: boolean
}

export interface Variable {
  /** `x`, `x.f`, `a[3]`; empty for what has no name. */
  readonly name: string
  readonly type: Type
  readonly place: Place
  readonly flags: VariableFlags
  /** Line of its declaration. */
  readonly line?: number
  /** A part that was asked for in so many words: of a map, entries behind the first `skip`; shown past the usual limit. */
  readonly window?: { readonly skip: number; readonly count?: number }
}
