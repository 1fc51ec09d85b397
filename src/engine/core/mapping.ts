/** NT_FILE: which file lies where in the address space (fs/binfmt_elf.c, fill_files_note). */
import { Cursor } from '../bytes/cursor.ts'

export interface Mapping {
  readonly start: number
  readonly end: number
  /** In bytes. */
  readonly fileOffset: number
  /** As the dumped process saw it; a deleted file has ` (deleted)` behind it. */
  readonly path: string
}

/** Throws FormatError where the note is cut. */
export function readMappings(
  desc: Uint8Array,
  origin: { file: string; littleEndian: boolean; ptrSize: 4 | 8 },
): Mapping[] {
  const cursor = new Cursor(desc, { ...origin, section: 'NT_FILE' })
  const count = cursor.word()
  const pageSize = cursor.word()
  if (count * 3 * origin.ptrSize > cursor.remaining) throw cursor.error(`${count} entries do not fit`)
  const places: Omit<Mapping, 'path'>[] = []
  for (let i = 0; i < count; i++) {
    const [start, end, page] = [cursor.word(), cursor.word(), cursor.word()]
    places.push({ start, end, fileOffset: page * pageSize })
  }
  return places.map(place => ({ ...place, path: cursor.cstring() }))
}
