/** What reading values needs to know of the process: handed in, so that this layer knows neither DWARF nor goroutines. */
import type { Memory } from '../core/memory.ts'
import type { Type } from '../type/type.ts'

export interface ValueContext {
  readonly memory: Memory
  /** 24 for Go 1.24: which map implementation, which words a mutex has; 0 for a program that is not Go. */
  readonly goMinor: number
  /** The type whose runtime descriptor is at this address of the process: from debug information if it is there, else as the descriptor has it. */
  typeAt(descriptor: number): Type | undefined
  /** A type by name, for what only debug information or another value's type can tell. */
  findType?(name: string): Type | undefined
  /** Name of the function that starts at or covers `pc`. */
  functionAt(pc: number): string | undefined
  /** C code at an address as gdb names it: `twice`, `twice+4`; undefined where no symbol covers it. */
  codeAt?(addr: number): string | undefined
  /** The structure of a closure whose code starts at `pc`: captured variables at DW_AT_go_closure_offset; `&x` for those by reference. */
  closureAt?(pc: number): Type | undefined
  /** Offset of `struct.field` in this Go version's runtime: `hchan.recvq`, `sudog.elem`, `g.goid`. */
  layout(field: string): number | undefined
}
