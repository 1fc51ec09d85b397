/** The auxiliary vector, NT_AUXV: what the kernel told the program at its start (include/uapi/linux/auxvec.h). */
import { viewOf } from '../bytes/layout.ts'

export const AuxType = {
  null: 0,
  phdr: 3,
  phnum: 5,
  pagesz: 6,
  base: 7,
  entry: 9,
  uid: 11,
  gid: 13,
  sysinfoEhdr: 33,
  execfn: 31,
} as const

const maxEntries = 256

export function readAuxv(
  bytes: Uint8Array,
  littleEndian: boolean,
  ptrSize: 4 | 8,
): ReadonlyMap<number, number> {
  const view = viewOf(bytes)
  const word = (at: number): number =>
    ptrSize === 8 ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian)
  const auxv = new Map<number, number>()
  for (let at = 0; at + 2 * ptrSize <= bytes.length && auxv.size < maxEntries; at += 2 * ptrSize) {
    const type = word(at)
    if (type === AuxType.null) break
    auxv.set(type, word(at + ptrSize))
  }
  return auxv
}
