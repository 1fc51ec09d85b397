/** How Go aligns: needed for what its compiler lays out without telling, a map's slots. */
import type { Type } from '../type/type.ts'

/** Types looked at for one answer: a damaged descriptor may hold itself. */
const maxTypes = 4096

/** Bytes to which values of the type are aligned. */
export function alignOf(type: Type, ptrSize: number, budget: { left: number } = { left: maxTypes }): number {
  if (budget.left-- <= 0) return ptrSize
  switch (type.kind) {
    case 'bool':
    case 'int':
    case 'float':
    case 'enum':
      return Math.min(Math.max(type.size, 1), ptrSize)
    case 'complex':
      return Math.min(Math.max(Math.floor(type.size / 2), 1), ptrSize)
    case 'array':
      return alignOf(type.elem(), ptrSize, budget)
    case 'struct':
    case 'union': {
      let align = 1
      for (const field of type.fields()) {
        if (align === ptrSize) break
        align = Math.max(align, alignOf(field.type(), ptrSize, budget))
      }
      return align
    }
    case 'unknown':
      return 1
    default:
      return ptrSize
  }
}
