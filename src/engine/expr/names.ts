/** What the names of an expression stand for: the seam between the language and the place where one looks from. */
import type { Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'

export interface Names {
  /** A local variable or argument, the innermost of its name. */
  local(name: string): Variable | undefined
  /** A local one; else one of the function's package, a function or a constant. */
  variable(name: string): Variable | undefined
  /** `path.name`, where `path` is a package's import path or what it ends with. */
  member(path: string, name: string): Variable | undefined
  /** Whether some package is called so. */
  isPackage(name: string): boolean
  type(name: string): Type | undefined
  /** Where one looks from a language of its own, what it means by the name: C's `int` is not Go's. */
  ownType?(name: string): Type | undefined
  /** By its assembler's name in small letters: `rax`, `pc`, `xmm0`; undefined where its value is not known here. */
  register(name: string): Variable | undefined
  /** Whether this machine has a register of this name, known here or not. */
  isRegister(name: string): boolean
  /** `runtime.curg` and its like, which only debuggers know. */
  special(name: string): Variable | undefined
  /** A variable as it is seen from the frame `n` further out. */
  inFrame(n: number, name: string): Variable | undefined
  /** gdb's `file.c::name` and `function::name`. */
  scoped(scope: string, name: string): Variable | undefined
  /** Short, for messages: what there is under names that begin alike; empty where nothing is near. */
  similar?(name: string): readonly string[]
}
