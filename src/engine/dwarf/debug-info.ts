/**
 * What `.debug_info` tells of a program: functions with their variables and scopes, package variables, constants and
 * types. All addresses are the file's own, without the load bias; offsets of entries count within `.debug_info`.
 */
import type { Type } from '../type/type.ts'
import type { SourcePlace } from './line-table.ts'

/** Addresses from `low` up to, not including, `high`. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** A DWARF expression, still to be evaluated: see evaluateLocation(). */
export interface LocationExpression {
  readonly bytes: Uint8Array
  /** Of the unit that it is in: DW_OP_addrx and DW_OP_constx look their number up there. */
  addressAt(index: number): number
  readonly addrSize: number
  /** The base type at an offset within the unit, for values of a type (DW_OP_convert). */
  baseTypeAt(offset: number): BaseType | undefined
  /** Bytes of a reference to another entry. */
  readonly offsetSize: number
  readonly littleEndian: boolean
  readonly file: string
}

export interface BaseType {
  readonly size: number
  readonly encoding: 'signed' | 'unsigned' | 'float'
}

/** A place in a location list: where the variable is while the program is between these addresses. */
export interface LocationRange extends Range {
  readonly expression: LocationExpression
}

/** The number that an expression gives, or that lies at the place which it describes. */
export type BoundReader = (expression: LocationExpression, is: 'value' | 'place') => bigint | undefined

export interface DebugVariable {
  /** As the program's text has it: an escaped `&x` is `x` here. */
  readonly name: string
  type(): Type
  /** For C's arrays of variable length, whose `type()` has none: the type with the length at this instruction of a frame. */
  typeIn?(pc: number, read: BoundReader): Type | undefined
  /** `result` is DW_AT_variable_parameter: Go's named results and `~r0`. */
  readonly kind: 'local' | 'parameter' | 'result'
  /** Moved to the heap: what lies at the location is its address, and `type()` is its own type, not that of the pointer. */
  readonly escaped: boolean
  /** 0 in the function (or inlined call) itself, one more in each block inside. */
  readonly depth: number
  /** Where it was declared; 0 where that is not known. */
  readonly declLine: number
  /** The inlined call that it belongs to; absent for the function's own. */
  readonly inlinedFrom?: InlinedCall
  /** DW_AT_go_closure_offset: a captured variable's place in the closure's structure. */
  readonly closureOffset?: number
  /** DW_AT_go_dict_index: the real type of a variable of shape type is this entry of the dictionary. */
  readonly dictIndex?: number
  /** Undefined where the compiler kept nothing at this instruction: the value is optimised out. */
  locationAt(pc: number): LocationExpression | undefined
  /** All places that it has anywhere in the function; one without a list holds from 0 to infinity. */
  locations(): readonly LocationRange[]
  /** Offset of its entry. */
  readonly offset: number
}

/** A call whose body the compiler put into the caller. */
export interface InlinedCall {
  /** Full name of the function that was inlined. */
  readonly name: string
  /** C++ and Rust: its name for the linker. */
  readonly linkageName?: string
  /** Where it was called. */
  readonly callFile: string | undefined
  readonly callLine: number
  /** Offset of its entry: the same call has the same. */
  readonly offset: number
}

export interface Scope {
  readonly kind: 'function' | 'inlined' | 'block'
  readonly ranges: readonly Range[]
  /** For `inlined`. */
  readonly call?: InlinedCall
  readonly variables: readonly DebugVariable[]
  readonly scopes: readonly Scope[]
}

export interface DebugFunction {
  /** Go: with the package path. */
  readonly name: string
  readonly low: number
  readonly high: number
  readonly language: 'go' | 'c'
  /** Where it is declared; C: from its entry, Go: decl_file and decl_line. */
  readonly file: string | undefined
  readonly line?: number
  readonly frameBase?: LocationExpression
  /** Offset of its entry. */
  readonly offset: number
  /** The function's own scope with all that is inside. */
  scope(): Scope
  /** Scopes that hold `pc`, innermost first; the function's own is last. */
  scopesAt(pc: number): readonly Scope[]
  /** Inlined calls that hold `pc`, innermost first. */
  inlinedAt(pc: number): readonly InlinedCall[]
  /**
   * Variables of the scopes that hold `pc`, outermost scope first, in the order of declaration: of the inlined call
   * with this entry, of the function's own body (`'own'`), or of both and every call between when not told.
   */
  variablesAt(pc: number, call?: number | 'own'): readonly DebugVariable[]
  /** What a call site says its arguments were (DW_TAG_call_site): by register, the expression for its value in the caller. */
  callSiteAt(returnAddress: number): ReadonlyMap<number, LocationExpression> | undefined
}

/** A variable outside functions, or a C function's static one. */
export interface Global {
  readonly name: string
  readonly location: LocationExpression
  readonly offset: number
  /** Address, where the location is nothing but one. */
  readonly addr?: number
  readonly language: 'go' | 'c'
  type(): Type
}

export interface Constant {
  readonly name: string
  readonly value: bigint
  readonly offset: number
  type(): Type
}

export interface DebugInfo {
  functionAt(addr: number): DebugFunction | undefined
  /** By full name, or by the name behind the last slash of the package path: `http.Get` finds `net/http.Get`. Those that only exist inlined are absent. */
  findFunctions(name: string): readonly DebugFunction[]
  /** By full name or by the name behind the last slash; for C by name. */
  findGlobal(name: string): Global | undefined
  findConstant(name: string): Constant | undefined
  /** By the names of Type, with the package path or what is behind its last slash: `main.T`, `*main.T`, `map[string]int`, `struct foo`. `near`: offset of an entry whose unit's own goes first. */
  findType(name: string, near?: number): Type | undefined
  /** By the address of the runtime's `_type` in the process; needs `types` of the options or a symbol table. */
  typeOfDescriptor(addr: number): Type | undefined
  functionNames(): Iterable<string>
  globalNames(): Iterable<string>
  typeNames(): Iterable<string>
  /** Whether there is a Go package of this path, or with this as its path's last element. */
  hasPackage(name: string): boolean
  /** Go packages by their import paths. */
  packages(): Iterable<string>
  /** Source files of the line tables, each once. */
  sources(): Iterable<string>
  lineAt(addr: number): SourcePlace | undefined
  /** Addresses where a statement of the line begins, ascending. */
  addressesOf(file: string, line: number): readonly number[]
  /** The index as bytes, built when it was not handed in; for openDebugInfo's `index` another time. */
  index(): Uint8Array
  readonly warnings: readonly string[]
}
