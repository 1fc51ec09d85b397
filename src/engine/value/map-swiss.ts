/**
 * Maps since Go 1.24 (internal/runtime/maps): a directory of tables, each with groups of 8 slots behind a control word;
 * a small map has no directory but one group.
 */
import { alignUp } from '../../base/align.ts'
import { MemoryFault } from '../../base/errors.ts'
import type { Field, Type, TypeOf } from '../type/type.ts'
import { alignOf } from './align.ts'
import type { ValueContext } from './context.ts'
import { readDirectory } from './map-directory.ts'
import { type Budget, maxInline, type Slot } from './map-slot.ts'

const slots = 8
const control = 8
/** Control bytes of empty (0x80) and deleted (0xfe) slots have the upper bit. */
const vacant = 0x80
/** A table has at most 1024 slots (maxTableCapacity); more than this is damage. */
const maxGroups = 1 << 16

interface GroupLayout {
  readonly keys: number
  readonly keyStride: number
  readonly elems: number
  readonly elemStride: number
  readonly size: number
}

/** `header`: the Map {used u64, seed, dirPtr, dirLen int, globalDepth u8, …}. */
export function* swissSlots(
  context: ValueContext,
  type: TypeOf<'map'>,
  header: number,
  budget: Budget,
): Generator<Slot> {
  const { memory } = context
  const { ptrSize } = memory
  const layout = groupLayout(context, type)
  const directory = readDirectory(memory, header, budget)
  if (directory === 'small') {
    const group = memory.word(header + 8 + ptrSize)
    if (group !== 0) yield* groupSlots(context, layout, group, budget)
    return
  }
  for (const table of directory) {
    // table {used, capacity, growthLeft u16, localDepth u8, index int, groups {data, lengthMask u64}}
    const groups = memory.word(table + 8 + ptrSize)
    const count = Number(memory.u64(table + 8 + 2 * ptrSize)) + 1
    if (!(count <= maxGroups)) throw new MemoryFault(table, `has an impossible map table of ${count} groups`)
    for (let group = 0; group < count; group++)
      yield* groupSlots(context, layout, groups + group * layout.size, budget)
  }
}

function* groupSlots(
  { memory }: ValueContext,
  { keys, keyStride, elems, elemStride }: GroupLayout,
  group: number,
  budget: Budget,
): Generator<Slot> {
  for (let i = 0; i < slots; i++) {
    if (budget.left-- <= 0) return
    if ((memory.u8(group + (memory.littleEndian ? i : 7 - i)) & vacant) !== 0) continue
    yield { key: group + keys + i * keyStride, elem: group + elems + i * elemStride }
  }
}

/** The descriptor says it since Go 1.27; otherwise as the compiler lays out {ctrl uint64; slots [8]struct{key; elem}}. */
function groupLayout({ memory, goMinor }: ValueContext, type: TypeOf<'map'>): GroupLayout {
  const { ptrSize } = memory
  const { descriptor } = type
  // abi.MapType: Type, Key, Elem, Group, Hasher, GroupSize, KeysOff, KeyStride, ElemsOff, ElemStride, ElemOff, Flags.
  const at = (descriptor ?? 0) + (ptrSize === 8 ? 48 : 32) + 4 * ptrSize
  if (descriptor !== undefined && goMinor >= 27 && memory.has(at, 6 * ptrSize)) {
    const [size = 0, keys = 0, keyStride = 0, elems = 0, elemStride = 0] = Array.from({ length: 5 }, (_, i) =>
      memory.word(at + i * ptrSize),
    )
    return { size, keys, keyStride, elems, elemStride }
  }
  const [key, elem] = [slotPart(type.key(), ptrSize), slotPart(type.elem(), ptrSize)]
  if (isSplit(type)) {
    const elems = alignUp(control + slots * key.size, elem.align)
    const end = elems + slots * elem.size + (elem.size === 0 ? 1 : 0)
    return { size: alignUp(end, 8), keys: control, keyStride: key.size, elems, elemStride: elem.size }
  }
  const offset = alignUp(key.size, elem.align)
  // A struct that ends with something of no size gets a byte, so that its address is not the next one's.
  const end = offset + elem.size + (elem.size === 0 && key.size > 0 ? 1 : 0)
  const stride = alignUp(end, Math.max(key.align, elem.align))
  const size = alignUp(control + slots * stride + (stride === 0 ? 1 : 0), 8)
  return { size, keys: control, keyStride: stride, elems: control + offset, elemStride: stride }
}

function slotPart(type: Type, ptrSize: number): { size: number; align: number } {
  if (type.size > maxInline) return { size: ptrSize, align: ptrSize }
  return { size: type.size, align: alignOf(type, ptrSize) }
}

/** GOEXPERIMENT=mapsplitgroup: keys together and elements together. Debug information's header leads to a group's type. */
function isSplit(type: TypeOf<'map'>): boolean {
  let at: Type | undefined = type.header?.()
  for (const name of ['dirPtr', 'groups', 'data']) {
    const field: Field | undefined = fieldsOf(at).find(field => field.name === name)
    at = field?.type()
    while (at?.kind === 'pointer') at = at.elem()
  }
  return fieldsOf(at).some(({ name }) => name === 'elems')
}

function fieldsOf(type: Type | undefined): readonly Field[] {
  return type?.kind === 'struct' ? type.fields() : []
}
