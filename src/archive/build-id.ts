/**
 * The GNU build id of an ELF file: a note of type NT_GNU_BUILD_ID (3) and owner `GNU` in a PT_NOTE segment (gABI ch. 5).
 * Both word sizes and both byte orders; anything unexpected means that there is none.
 */
import { alignUp } from '../base/align.ts'
export type ReadAt = (offset: number, length: number) => Buffer

const PT_NOTE = 4
const NT_GNU_BUILD_ID = 3

export function findBuildId(read: ReadAt): string | undefined {
  const ident = read(0, 64)
  if (ident.length < 52 || ident.readUInt32BE(0) !== 0x7f454c46) return undefined
  const wide = ident[4] === 2
  const little = ident[5] === 1
  if (wide && ident.length < 64) return undefined
  const u16 = (bytes: Buffer, at: number): number =>
    little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  const u32 = (bytes: Buffer, at: number): number =>
    little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  const word = (bytes: Buffer, at: number): number =>
    wide ? Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at)) : u32(bytes, at)
  const phoff = word(ident, wide ? 32 : 28)
  const phentsize = u16(ident, wide ? 54 : 42)
  const phnum = Math.min(u16(ident, wide ? 56 : 44), 256)
  if (phentsize < (wide ? 56 : 32) || phentsize > 256) return undefined
  const headers = read(phoff, phnum * phentsize)
  for (let at = 0; at + phentsize <= headers.length; at += phentsize) {
    if (u32(headers, at) !== PT_NOTE) continue
    const notes = read(
      word(headers, at + (wide ? 8 : 4)),
      Math.min(word(headers, at + (wide ? 32 : 16)), 65536),
    )
    for (let note = 0; note + 12 <= notes.length; ) {
      const [namesz, descsz, type] = [u32(notes, note), u32(notes, note + 4), u32(notes, note + 8)]
      const desc = note + 12 + alignUp(namesz, 4)
      if (namesz > 65536 || descsz > 65536 || desc + descsz > notes.length) break
      if (
        type === NT_GNU_BUILD_ID &&
        namesz === 4 &&
        notes.toString('latin1', note + 12, note + 16) === 'GNU\0'
      )
        return descsz > 0 && descsz <= 64 ? notes.toString('hex', desc, desc + descsz) : undefined
      note = desc + alignUp(descsz, 4)
    }
  }
  return undefined
}
