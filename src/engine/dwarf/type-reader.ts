/**
 * Types from entries of `.debug_info`. Go's linker says in attributes of its own what a typedef or structure stands for
 * (cmd/link/internal/ld/dwarf.go newtype); C's come by their tags.
 */
import { FormatError } from '../../base/errors.ts'
import { type Field, type NamedConstant, type Type, type TypeBase, unknownType } from '../type/type.ts'
import { cType } from './c-type.ts'
import { At, Tag } from './constants.ts'
import type { Entry } from './entry.ts'

/** What the reader needs of the file around the entry. */
export interface TypeContext {
  readonly ptrSize: number
  /** Throws FormatError where there is no entry. */
  entryAt(reference: number | bigint): Entry
  /** Constants of the type whose entry is at `offset`. */
  constantsOf(offset: number): readonly NamedConstant[]
  /** Where the runtime's descriptors begin in the process: moduledata.types. */
  readonly descriptors: number | undefined
  /** The full definition of a type that is only declared here. */
  definitionOf(declared: Entry): Entry | undefined
}

/** A chain of typedefs or qualifiers longer than this refers to itself. */
export const maxChain = 64
/** Characters of the name of C's pointers, arrays and functions, which has their parts' names in it. */
const maxDerivedName = 1 << 14
const maxFields = 1 << 16

/** reflect.Kind, as DW_AT_go_kind has it. */
const Kind = {
  bool: 1,
  int: 2,
  int64: 6,
  uintptr: 12,
  float32: 13,
  float64: 14,
  complex64: 15,
  complex128: 16,
  array: 17,
  chan: 18,
  func: 19,
  interface: 20,
  map: 21,
  pointer: 22,
  slice: 23,
  string: 24,
  struct: 25,
  unsafePointer: 26,
} as const

export class TypeReader {
  readonly context: TypeContext
  readonly #types = new Map<string, Type>()

  constructor(context: TypeContext) {
    this.context = context
  }

  /** The type that an attribute refers to; undefined where it has none, C's `void`. */
  typeOf(entry: Entry, attribute: number = At.type, depth = 0): Type | undefined {
    const reference = entry.reference(attribute)
    return reference === undefined ? undefined : this.at(reference, depth)
  }

  /** The type at an offset; an unknown type where the entry cannot be read. */
  at(reference: number | bigint, depth = 0): Type {
    const key = String(reference)
    let type = this.#types.get(key)
    if (type) return type
    if (depth > maxChain) return unknownType('?', 'debug information refers to itself')
    try {
      type = this.#read(this.context.entryAt(reference), depth)
      if (type.language === 'c' && !type.named && type.name.length > maxDerivedName)
        type = unknownType('?', 'debug information nests it too deeply')
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      type = unknownType('?', `debug information is damaged: ${error.problem}`)
    }
    this.#types.set(key, type)
    return type
  }

  #read(entry: Entry, depth: number): Type {
    if (!entry.unit.isGo) return cType(this, entry, depth)
    // The linker's own types, a map's or channel's header among them, have kind 0.
    const kind = entry.number(At.goKind)
    if (kind) return this.#goType(entry, kind & 31, depth)
    // Only unsafe.Pointer has neither a kind nor a target before Go gave it one.
    if (entry.tag === Tag.pointerType && !entry.has(At.type))
      return this.#goType(entry, Kind.unsafePointer, depth)
    const under = this.typeOf(entry, At.type, depth + 1)
    const name = entry.text(At.name) ?? '?'
    if (entry.tag === Tag.pointerType) return this.#goType(entry, Kind.pointer, depth)
    if (entry.tag === Tag.structureType) return this.#goType(entry, Kind.struct, depth)
    if (entry.tag === Tag.subroutineType) return this.#goType(entry, Kind.func, depth)
    if (entry.tag === Tag.baseType) return cType(this, entry, depth)
    if (!under) return unknownType(name, 'debug information does not say what it is')
    // A dictionary's type keeps the name of its shape; a named type has its own.
    return name.startsWith('.') || name === under.name ? under : { ...under, name, named: isNamed(name) }
  }

  #goType(entry: Entry, kind: number, depth: number): Type {
    const name = entry.text(At.name) ?? '?'
    const { ptrSize, descriptors } = this.context
    const runtime = entry.offsetAsAddress(At.goRuntimeType)
    const base = {
      name,
      size: entry.number(At.byteSize) ?? ptrSize,
      language: 'go',
      from: 'dwarf',
      named: isNamed(name),
      ...(runtime && descriptors !== undefined ? { descriptor: descriptors + runtime } : {}),
    } as const satisfies TypeBase
    const required = (attribute: number): Type =>
      this.typeOf(entry, attribute) ?? unknownType('?', 'debug information does not say what it is')
    /** The structure behind the pointer that the runtime keeps for maps and channels. */
    const header = (): Type | undefined => {
      const pointer = this.typeOf(entry)
      return pointer?.kind === 'pointer' ? pointer.elem() : undefined
    }
    switch (kind) {
      case Kind.bool:
        return { ...base, kind: 'bool' }
      case Kind.float32:
      case Kind.float64:
        return { ...base, kind: 'float' }
      case Kind.complex64:
      case Kind.complex128:
        return { ...base, kind: 'complex' }
      case Kind.array: {
        const range = firstChild(entry, Tag.subrangeType)
        const length = range?.number(At.count) ?? (range?.number(At.upperBound) ?? -1) + 1
        return { ...base, kind: 'array', length, elem: () => required(At.type) }
      }
      case Kind.chan:
        return {
          ...base,
          size: ptrSize,
          kind: 'chan',
          direction: directionOf(name),
          elem: () => required(At.goElem),
          header,
        }
      case Kind.func:
        return { ...base, size: ptrSize, kind: 'func', ...this.#signature(entry) }
      case Kind.interface:
        return {
          ...base,
          size: 2 * ptrSize,
          kind: 'interface',
          empty: this.typeOf(entry, At.type, depth + 1)?.name === 'runtime.eface',
        }
      case Kind.map:
        return {
          ...base,
          size: ptrSize,
          kind: 'map',
          key: () => required(At.goKey),
          elem: () => required(At.goElem),
          header,
        }
      case Kind.pointer:
        return { ...base, size: ptrSize, kind: 'pointer', elem: () => this.typeOf(entry) }
      case Kind.slice:
        return { ...base, kind: 'slice', elem: () => required(At.goElem) }
      case Kind.string:
        return { ...base, kind: 'string' }
      case Kind.struct:
        return { ...base, kind: 'struct', fields: once(() => this.#fields(entry)) }
      case Kind.unsafePointer:
        return { ...base, size: ptrSize, kind: 'unsafe.Pointer' }
    }
    if (kind < Kind.int || kind > Kind.uintptr) return unknownType(name, `of kind ${kind}`, base.size)
    return {
      ...base,
      kind: 'int',
      signed: kind <= Kind.int64,
      ...(kind === Kind.uintptr ? { uintptr: true } : {}),
      ...(base.named ? { constants: () => this.context.constantsOf(entry.id) } : {}),
    }
  }

  #fields(entry: Entry): readonly Field[] {
    const fields: Field[] = []
    for (const member of entry.children()) {
      if (member.tag !== Tag.member || fields.length >= maxFields) continue
      fields.push({
        name: member.text(At.name) ?? '',
        offset: member.memberOffset,
        embedded: member.flag(At.goEmbeddedField),
        type: () => this.typeOf(member) ?? unknownType('?', 'debug information does not say what it is'),
      })
    }
    return fields
  }

  /** Results are parameters with DW_AT_variable_parameter; before Go 1.19 or so all were `void *` of pointers to them. */
  #signature(entry: Entry): { params(): readonly Type[]; results(): readonly Type[]; variadic: boolean } {
    const list = (result: boolean) => (): readonly Type[] =>
      [...entry.children()]
        .filter(({ tag }) => tag === Tag.formalParameter)
        .filter(child => child.flag(At.variableParameter) === result)
        .map(child => this.typeOf(child) ?? unknownType('?', 'debug information does not say what it is'))
    const variadic = firstChild(entry, Tag.unspecifiedParameters) !== undefined
    return { params: list(false), results: list(true), variadic }
  }
}

export function firstChild(entry: Entry, tag: number): Entry | undefined {
  for (const child of entry.children()) if (child.tag === tag) return child
  return undefined
}

const predeclared =
  /^(?:bool|string|u?int(?:8|16|32|64)?|uintptr|byte|rune|float(?:32|64)|complex(?:64|128)|unsafe\.Pointer|any)$/
const structural = /^(?:[*[]|map\[|chan |<-chan |chan<- |func\(|(?:noalg\.)?struct \{|interface \{)/

/** Whether a Go type has a name of its own. */
function isNamed(name: string): boolean {
  return !predeclared.test(name) && !structural.test(name)
}

function directionOf(name: string): 'both' | 'send' | 'recv' {
  return name.startsWith('<-chan') ? 'recv' : name.startsWith('chan<-') ? 'send' : 'both'
}

export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
