/** Types of C, and what C++ and Rust have in common with it, named as gdb names them. */
import { cArrayName, cFunctionName, cPointerName } from '../type/c-name.ts'
import { arrayOf, type Field, pointerTo, type Type, type TypeBase, unknownType } from '../type/type.ts'
import { At, Ate, Tag } from './constants.ts'
import type { Entry } from './entry.ts'
import { once, type TypeReader } from './type-reader.ts'

const maxMembers = 1 << 16

export function cType(types: TypeReader, entry: Entry, depth: number): Type {
  const name = entry.text(At.name)
  const base = (fallback: string, size: number): TypeBase => ({
    name: name ?? fallback,
    size: entry.number(At.byteSize) ?? size,
    language: 'c',
    from: 'dwarf',
    named: name !== undefined,
  })
  const target = (): Type | undefined => types.typeOf(entry, At.type, depth + 1)
  switch (entry.tag) {
    case Tag.baseType:
      return baseType(entry, { ...base('?', 0), named: false })
    case Tag.pointerType:
    case Tag.referenceType:
    case Tag.rvalueReferenceType:
      return pointerType(types, entry, depth)
    case Tag.structureType:
    case Tag.classType:
    case Tag.unionType:
      return structType(types, entry, base('', 0))
    case Tag.enumerationType:
      return enumType(types, entry, base('', 4), depth)
    case Tag.arrayType:
      return arrayType(entry, target() ?? voidType())
    case Tag.typedef: {
      const under = target() ?? voidType()
      return name === undefined ? under : { ...under, name, named: true }
    }
    case Tag.constType:
      return qualified('const', target() ?? voidType())
    case Tag.volatileType:
      return qualified('volatile', target() ?? voidType())
    case Tag.atomicType:
      return qualified('_Atomic', target() ?? voidType())
    case Tag.restrictType:
      return qualified('restrict', target() ?? voidType())
    case Tag.subroutineType:
    case Tag.subprogram:
      return functionType(types, entry, depth)
    case Tag.unspecifiedType:
      return { ...voidType(), name: name ?? 'void' }
    case Tag.immutableType:
      return target() ?? voidType()
    default:
      return unknownType(
        name ?? '?',
        `debug information calls it 0x${entry.tag.toString(16)}`,
        base('', 0).size,
      )
  }
}

function voidType(): Type {
  return { ...unknownType('void', 'void has no value'), language: 'c' }
}

function isVoid({ kind, name }: Type): boolean {
  return kind === 'unknown' && /\bvoid$/.test(name)
}

/** gcc spells them out; gdb and clang have the short forms. */
const shortNames: Readonly<Record<string, string>> = Object.fromEntries(
  ['short', 'long', 'long long'].flatMap(word => [
    [`${word} int`, word],
    [`${word} unsigned int`, `unsigned ${word}`],
  ]),
)

/** gcc's spelling of a base type's name. */
export function longName(name: string): string | undefined {
  return Object.keys(shortNames).find(long => shortNames[long] === name)
}

function baseType(entry: Entry, { name, ...more }: TypeBase): Type {
  const base = { ...more, name: shortNames[name] ?? name }
  switch (entry.number(At.encoding)) {
    case Ate.boolean:
      return { ...base, kind: 'bool' }
    case Ate.float:
      return { ...base, kind: 'float' }
    case Ate.complexFloat:
      return { ...base, kind: 'complex' }
    case Ate.signed:
      return { ...base, kind: 'int', signed: true }
    case Ate.signedChar:
      return { ...base, kind: 'int', signed: true, char: true }
    case Ate.unsignedChar:
    case Ate.utf:
      return { ...base, kind: 'int', signed: false, char: true }
    case Ate.unsigned:
    case Ate.address:
      return { ...base, kind: 'int', signed: false }
    default:
      return unknownType(base.name, 'of an encoding that is not known', base.size)
  }
}

function pointerType(types: TypeReader, entry: Entry, depth: number): Type {
  const elem = types.typeOf(entry, At.type, depth + 1)
  const size = entry.number(At.byteSize) ?? types.context.ptrSize
  const reference = entry.tag === Tag.pointerType ? '*' : entry.tag === Tag.referenceType ? '&' : '&&'
  if (!elem || isVoid(elem))
    return {
      kind: 'pointer',
      name: `${elem?.name ?? 'void'} *`,
      size,
      language: 'c',
      from: 'dwarf',
      named: false,
      elem: () => undefined,
    }
  return { ...pointerTo(elem, size), name: cPointerName(elem, reference) }
}

const qualifiers = ['const', 'volatile', 'restrict', '_Atomic']

/**
 * A qualifier stands before a plain name and behind a pointer's star, in gdb's order whatever the program's; that of an
 * array is that of its elements.
 */
function qualified(word: string, type: Type): Type {
  if (type.kind === 'array' && !type.named) {
    const elem = qualified(word, type.elem())
    return { ...type, name: cArrayName(elem, type.flexible ? '' : type.length), elem: () => elem }
  }
  const pointer =
    !type.named && /[*)]$/.test(type.name.replace(/(?: (?:const|volatile|restrict|_Atomic))+$/, ''))
  if (type.name.endsWith(` ${word}`)) return type
  if (pointer) return { ...type, name: `${type.name} ${word}` }
  const words = type.name.split(' ')
  const count = words.findIndex(first => !qualifiers.includes(first))
  const own = new Set([word, ...words.slice(0, Math.max(0, count))])
  const all = [...qualifiers.filter(qualifier => own.has(qualifier)), ...words.slice(Math.max(0, count))]
  return { ...type, name: all.join(' ') }
}

/** C names structures with their keyword; C++ and Rust do not. */
function tagged(entry: Entry, keyword: string, name: string | undefined): string {
  if (name === undefined || name === '') return `${keyword} {...}`
  const language = entry.unit.root().number(At.language)
  return language === undefined || cLanguages.has(language) ? `${keyword} ${name}` : name
}

/** DW_LANG_C89, C, C99, C11, C17, Mips_Assembler. */
const cLanguages = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x8001])

function structType(types: TypeReader, declared: Entry, base: TypeBase): Type {
  const union = declared.tag === Tag.unionType
  const incomplete = declared.flag(At.declaration) || declared.has(At.signature)
  const entry = incomplete ? types.context.definitionOf(declared) : declared
  // A reference to a type unit has no name of its own.
  const plain = declared.text(At.name) ?? entry?.text(At.name)
  const name = tagged(declared, union ? 'union' : 'struct', plain)
  const shape = { ...base, name, named: plain !== undefined, kind: union ? 'union' : 'struct' } as const
  if (!entry) return { ...shape, incomplete: true, fields: () => [] }
  return { ...shape, size: entry.number(At.byteSize) ?? base.size, fields: once(() => members(types, entry)) }
}

function members(types: TypeReader, entry: Entry): readonly Field[] {
  const fields: Field[] = []
  for (const member of entry.children()) {
    const isBase = member.tag === Tag.inheritance
    // A static member of C++ has no place in the object.
    if ((member.tag !== Tag.member && !isBase) || member.flag(At.external) || fields.length >= maxMembers)
      continue
    const type = (): Type => types.typeOf(member) ?? voidType()
    const at = member.memberOffset
    const name = member.text(At.name)
    const bits = bitsOf(member, at, type)
    fields.push({
      name: name ?? (isBase ? type().name : ''),
      offset: bits ? bits.byte : at,
      embedded: isBase || name === undefined,
      type,
      ...(bits ? { bits: { offset: bits.offset, size: bits.size } } : {}),
    })
  }
  return fields
}

/** A bit-field counted from its lowest byte: DW_AT_data_bit_offset, or DWARF 3's DW_AT_bit_offset from the top of a unit. */
function bitsOf(
  member: Entry,
  at: number,
  type: () => Type,
): { byte: number; offset: number; size: number } | undefined {
  const size = member.number(At.bitSize)
  if (size === undefined) return undefined
  const fromStart = member.number(At.dataBitOffset)
  const fromTop = Number(member.integer(At.bitOffset, true) ?? 0n)
  const unit = (member.number(At.byteSize) ?? type().size) * 8
  const bit = fromStart ?? at * 8 + (member.unit.sections.littleEndian ? unit - fromTop - size : fromTop)
  return { byte: Math.floor(bit / 8), offset: bit % 8, size }
}

function enumType(types: TypeReader, declared: Entry, base: TypeBase, depth: number): Type {
  const incomplete = declared.flag(At.declaration) || declared.has(At.signature)
  const entry = (incomplete ? types.context.definitionOf(declared) : undefined) ?? declared
  const under = types.typeOf(entry, At.type, depth + 1)
  const numbers = new Map<bigint, string>()
  let signed = under?.kind === 'int' && under.signed
  for (const child of entry.children()) {
    const value = child.tag === Tag.enumerator ? child.integer(At.constValue, signed || !under) : undefined
    if (value === undefined || numbers.size >= maxMembers) continue
    if (value < 0n) signed = true
    if (!numbers.has(value)) numbers.set(value, child.text(At.name) ?? '?')
  }
  const name = entry.text(At.name)
  const size = entry.number(At.byteSize) ?? base.size
  return {
    ...base,
    size,
    named: name !== undefined,
    name: tagged(entry, 'enum', name),
    kind: 'enum',
    signed,
    names: numbers,
  }
}

/** One child per dimension, outermost first; a length that only the program knows (VLA), or nobody, counts as 0. */
function arrayType(entry: Entry, elem: Type): Type {
  const lengths: number[] = []
  let flexible = false
  for (const range of entry.children()) {
    if (range.tag !== Tag.subrangeType || lengths.length >= 16) continue
    const upper = range.integer(At.upperBound, true)
    flexible ||= lengths.length === 0 && range.number(At.count) === undefined && upper === undefined
    lengths.push(Math.max(0, range.number(At.count) ?? Number((upper ?? -1n) + 1n)))
  }
  const [first = 0, ...rest] = lengths
  const inner = rest.reduceRight<Type>((type, length) => arrayOf(type, length), elem)
  const array = arrayOf(inner, first)
  return flexible ? { ...array, flexible, name: cArrayName(inner, '') } : array
}

function functionType(types: TypeReader, entry: Entry, depth: number): Type {
  const result = types.typeOf(entry, At.type, depth + 1)
  const params: Type[] = []
  let variadic = false
  for (const child of entry.children()) {
    if (child.tag === Tag.formalParameter && params.length < 256)
      params.push(types.typeOf(child, At.type, depth + 1) ?? voidType())
    if (child.tag === Tag.unspecifiedParameters) variadic = true
  }
  const names = [...params.map(({ name }) => name), ...(variadic ? ['...'] : [])]
  return {
    kind: 'func',
    name: cFunctionName(result?.name ?? 'void', names),
    size: 1,
    language: 'c',
    from: 'dwarf',
    named: false,
    params: () => params,
    results: () => (result ? [result] : []),
    variadic,
  }
}
