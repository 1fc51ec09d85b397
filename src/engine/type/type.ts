/**
 * The types of a program as plain data with lazy parts. Two sources make them: DWARF entries and the Go runtime's type
 * descriptors; whoever looks at values need not know which. A named type has the kind and the parts of its underlying
 * type. Parts are functions, because types refer to themselves.
 */
import { cArrayName, cPointerName } from './c-name.ts'

export interface TypeBase {
  /**
   * As its language writes it: `main.T`, `*main.T`, `[]int`, `map[string]main.T`, `struct { A int }`,
   * `github.com/a/b.T`; for C `struct foo`, `char *`, `size_t`.
   */
  readonly name: string
  /** Bytes of a value. */
  readonly size: number
  readonly language: 'go' | 'c'
  readonly from: 'dwarf' | 'descriptor'
  /** Declared by a name other than its structure: `type T …`, a C typedef, struct, union or enum tag. */
  readonly named: boolean
  /** Address of the runtime's `_type` in the process, bias included, where the program has one. */
  readonly descriptor?: number
}

/** A field of a struct or union; `offset` in bytes from its start. */
export interface Field {
  readonly name: string
  readonly offset: number
  readonly embedded: boolean
  type(): Type
  /** A C bit-field: `size` bits that start `offset` bits above the least significant one of the byte at the field's offset. */
  readonly bits?: { readonly offset: number; readonly size: number }
}

/** A declared constant of a named integer type: `time.January` is `{ name: 'January', value: 1n }`. */
export interface NamedConstant {
  readonly name: string
  readonly value: bigint
}

export type Type = TypeBase &
  (
    | { readonly kind: 'bool' }
    | {
        readonly kind: 'int'
        readonly signed: boolean
        /** A C character type: shown as its number and its character. */
        readonly char?: boolean
        readonly uintptr?: boolean
        /** The constants declared of this type, without their package, where debug information has them. */
        constants?(): readonly NamedConstant[]
      }
    /** 4 or 8 bytes; 10 to 16 are C's `long double`, x87's 80 bits on amd64. */
    | { readonly kind: 'float' }
    | { readonly kind: 'complex' }
    | { readonly kind: 'string' }
    /** `elem` is undefined for C's `void *`. C's character pointers are pointers, too. */
    | { readonly kind: 'pointer'; elem(): Type | undefined }
    | { readonly kind: 'unsafe.Pointer' }
    /** `flexible`: C's last member of a structure, whose length nobody tells; `length` is 0. */
    | { readonly kind: 'array'; readonly length: number; readonly flexible?: boolean; elem(): Type }
    | { readonly kind: 'slice'; elem(): Type }
    | { readonly kind: 'struct' | 'union'; fields(): readonly Field[]; readonly incomplete?: boolean }
    /** `empty`: an `any`, whose first word is a type; others have an itab there. */
    | { readonly kind: 'interface'; readonly empty: boolean }
    /** `header`: the runtime's structure behind the pointer, where debug information has it. */
    | { readonly kind: 'map'; key(): Type; elem(): Type; header?(): Type | undefined }
    | {
        readonly kind: 'chan'
        readonly direction: 'both' | 'send' | 'recv'
        elem(): Type
        header?(): Type | undefined
      }
    | {
        readonly kind: 'func'
        params?(): readonly Type[]
        results?(): readonly Type[]
        readonly variadic?: boolean
      }
    | { readonly kind: 'enum'; readonly signed: boolean; readonly names: ReadonlyMap<bigint, string> }
    | { readonly kind: 'unknown'; readonly why: string }
  )

export type TypeKind = Type['kind']
export type TypeOf<K extends TypeKind> = Extract<Type, { kind: K }>

/** `*T`, for a `&x` or where a program has no such type of its own; named as Go and C do. */
export function pointerTo(elem: Type, ptrSize: number): TypeOf<'pointer'> {
  const name = elem.language === 'c' ? cPointerName(elem) : `*${elem.name}`
  const { language, from } = elem
  return { kind: 'pointer', name, size: ptrSize, language, from, named: false, elem: () => elem }
}

/** `[length]T`. */
export function arrayOf(elem: Type, length: number): TypeOf<'array'> {
  const name = elem.language === 'c' ? cArrayName(elem, length) : `[${length}]${elem.name}`
  const { language, from } = elem
  return {
    kind: 'array',
    name,
    size: elem.size * length,
    language,
    from,
    named: false,
    length,
    elem: () => elem,
  }
}

/** `[]T`. */
export function sliceOf(elem: Type, ptrSize: number): TypeOf<'slice'> {
  const { from } = elem
  return {
    kind: 'slice',
    name: `[]${elem.name}`,
    size: 3 * ptrSize,
    language: 'go',
    from,
    named: false,
    elem: () => elem,
  }
}

/** A type whose description could not be found or read; its values show `why`. */
export function unknownType(name: string, why: string, size = 0): TypeOf<'unknown'> {
  return { kind: 'unknown', name, size, language: 'go', from: 'dwarf', named: false, why }
}

/** Go's predeclared types, for constants and conversions: `int8`, `float64`, `string`, `bool`, `uintptr`, …; undefined for others. */
export function basicType(name: string, ptrSize: number): Type | undefined {
  const base = { language: 'go', from: 'dwarf', named: false } as const
  const alias = { byte: 'uint8', rune: 'int32' }[name] ?? name
  const number = /^(u?)(int|float|complex)(\d*)$/.exec(alias)
  if (number) {
    const [, unsigned, kind, digits] = number
    const size = digits === '' ? ptrSize : Number(digits) / 8
    const sizes = kind === 'int' ? [1, 2, 4, 8] : kind === 'float' ? [4, 8] : [8, 16]
    if (!sizes.includes(size) || (unsigned !== '' && kind !== 'int') || (digits === '' && kind !== 'int'))
      return undefined
    if (kind === 'int') return { ...base, kind, name: alias, size, signed: unsigned === '' }
    return { ...base, kind: kind as 'float' | 'complex', name: alias, size }
  }
  switch (alias) {
    case 'bool':
      return { ...base, kind: 'bool', name: alias, size: 1 }
    case 'string':
      return { ...base, kind: 'string', name: alias, size: 2 * ptrSize }
    case 'uintptr':
      return { ...base, kind: 'int', name: alias, size: ptrSize, signed: false, uintptr: true }
    case 'unsafe.Pointer':
      return { ...base, kind: 'unsafe.Pointer', name: alias, size: ptrSize }
    case 'any':
    case 'interface {}':
    case 'interface{}':
      return { ...base, kind: 'interface', name: 'interface {}', size: 2 * ptrSize, empty: true }
    case 'error':
      return { ...base, kind: 'interface', name: alias, size: 2 * ptrSize, empty: false, named: true }
    default:
      return undefined
  }
}
