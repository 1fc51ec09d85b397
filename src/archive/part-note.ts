/**
 * A note by which a core says that it is a part of one: its own headers promise no more than it holds. Owner `gocore-sink`,
 * type 1 of ours, one u64: the bytes of the whole. Debuggers pass over owners and types that they do not know.
 */
import { alignUp } from '../base/align.ts'

const owner = 'gocore-sink'
/** No type of the kernel's, for readers that do not look at owners. */
const type = 0x70617274
const headerSize = 12

/** The note, to stand behind the others of a little-endian core. */
export function formatPartNote(whole: number): Buffer {
  const name = Buffer.alloc(alignUp(owner.length + 1, 4))
  name.write(owner)
  const note = Buffer.alloc(headerSize + name.length + 8)
  note.writeUInt32LE(owner.length + 1, 0)
  note.writeUInt32LE(8, 4)
  note.writeUInt32LE(type, 8)
  name.copy(note, headerSize)
  note.writeBigUInt64LE(BigInt(whole), headerSize + name.length)
  return note
}

/** Bytes of the whole, where the notes say that their core is a part. */
export function partOf(
  notes: Iterable<{ readonly owner: string; readonly type: number; readonly desc: Uint8Array }>,
): number | undefined {
  for (const note of notes)
    if (note.owner === owner && note.type === type && note.desc.length >= 8)
      return Number(Buffer.from(note.desc.subarray(0, 8)).readBigUInt64LE(0))
  return undefined
}
