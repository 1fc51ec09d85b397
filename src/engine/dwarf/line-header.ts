/** The header of one unit of `.debug_line`: files, directories and how its opcodes count. DWARF 5 section 6.2.4; versions 2 to 5. */
import type { FrameReader } from './frame-reader.ts'

export interface LineHeader {
  readonly version: number
  readonly minInstLength: number
  readonly maxOps: number
  readonly defaultIsStmt: boolean
  readonly lineBase: number
  readonly lineRange: number
  readonly opcodeBase: number
  /** Number of operands by opcode, from 1. */
  readonly lengths: readonly number[]
  /** By number as the program counts: from 1 up to version 4, from 0 in version 5. */
  file(number: number): string | undefined
  /** One more than the largest number of a file. */
  readonly files: number
}

/** Sections whose text the header refers to. */
export interface LineStrings {
  readonly lineStr: Uint8Array
  readonly str: Uint8Array
}

const maxEntries = 1 << 16
const contentPath = 1
const contentDirectory = 2

/** Reads the header that begins behind the unit's length; `reader` ends with the unit. Leaves it at the program. */
export function readLineHeader(reader: FrameReader, is64: boolean, strings: LineStrings): LineHeader {
  const version = reader.u16()
  if (version < 2 || version > 5) throw reader.error(`line tables of version ${version}`)
  if (version === 5) reader.skip(2) // address size and segment selector size
  const headerLength = is64 ? Number(reader.u64()) : reader.u32()
  const program = reader.at + headerLength
  const minInstLength = reader.u8()
  const maxOps = version >= 4 ? reader.u8() : 1
  const defaultIsStmt = reader.u8() !== 0
  const lineBase = (reader.u8() << 24) >> 24
  const lineRange = reader.u8()
  const opcodeBase = reader.u8()
  if (lineRange === 0 || opcodeBase === 0) throw reader.error('a line table that cannot count')
  const lengths = Array.from({ length: opcodeBase - 1 }, () => reader.u8())
  const names = version === 5 ? readEntries(reader, is64, strings) : readNames(reader)
  if (!(program >= reader.at && program <= reader.bytes.length))
    throw reader.error('a line program elsewhere')
  reader.at = program
  return { version, minInstLength, maxOps, defaultIsStmt, lineBase, lineRange, opcodeBase, lengths, ...names }
}

/** Up to version 4: lists that an empty name ends. Directory 0 is the unit's own, which only `.debug_info` knows. */
function readNames(reader: FrameReader): Pick<LineHeader, 'file' | 'files'> {
  const directories: string[] = ['']
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) {
    if (directories.length >= maxEntries) throw reader.error('too many directories')
    directories.push(name)
  }
  const files: { name: string; directory: number }[] = []
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) {
    if (files.length >= maxEntries) throw reader.error('too many files')
    files.push({ name, directory: reader.uvarint() })
    reader.uvarint() // time
    reader.uvarint() // length
  }
  return {
    files: files.length + 1,
    file(number) {
      const file = files[number - 1]
      return file && joined([directories[file.directory] ?? '', file.name])
    },
  }
}

function readEntries(
  reader: FrameReader,
  is64: boolean,
  strings: LineStrings,
): Pick<LineHeader, 'file' | 'files'> {
  const directories = readTable(reader, is64, strings)
  const files = readTable(reader, is64, strings)
  return {
    files: files.length,
    file(number) {
      const file = files[number]
      if (!file) return undefined
      const directory = directories[file.directory]?.path ?? ''
      // Directories but the first are relative to it.
      return joined([file.directory > 0 ? (directories[0]?.path ?? '') : '', directory, file.path])
    },
  }
}

function readTable(
  reader: FrameReader,
  is64: boolean,
  strings: LineStrings,
): { path: string; directory: number }[] {
  const formats = Array.from({ length: reader.u8() }, () => ({
    content: reader.uvarint(),
    form: reader.uvarint(),
  }))
  const count = reader.uvarint()
  if (count > maxEntries || (formats.length === 0 && count > 0)) throw reader.error(`${count} entries`)
  const entries: { path: string; directory: number }[] = []
  for (let i = 0; i < count; i++) {
    const entry = { path: '', directory: 0 }
    for (const { content, form } of formats) {
      const value = readForm(reader, form, is64, strings)
      if (content === contentPath && typeof value === 'string') entry.path = value
      else if (content === contentDirectory && typeof value === 'number') entry.directory = value
    }
    entries.push(entry)
  }
  return entries
}

/** The forms that DWARF 5 permits here (section 6.2.4.1). */
function readForm(reader: FrameReader, form: number, is64: boolean, strings: LineStrings): string | number {
  const offset = (): number => (is64 ? Number(reader.u64()) : reader.u32())
  switch (form) {
    case 0x08: // DW_FORM_string
      return reader.cstring()
    case 0x1f: // DW_FORM_line_strp
      return textAt(strings.lineStr, offset())
    case 0x0e: // DW_FORM_strp
      return textAt(strings.str, offset())
    case 0x0b: // DW_FORM_data1
      return reader.u8()
    case 0x05: // DW_FORM_data2
      return reader.u16()
    case 0x06: // DW_FORM_data4
      return reader.u32()
    case 0x07: // DW_FORM_data8
      return Number(reader.u64())
    case 0x0f: // DW_FORM_udata
      return reader.uvarint()
    case 0x1e: // DW_FORM_data16, checksums
      reader.skip(16)
      return 0
    case 0x09: // DW_FORM_block
      reader.skip(reader.uvarint())
      return 0
    default:
      throw reader.error(`form 0x${form.toString(16)} in a line table`)
  }
}

const decoder = new TextDecoder()
const maxText = 4096

function textAt(bytes: Uint8Array, offset: number): string {
  const part = bytes.subarray(offset, offset + maxText)
  const end = part.indexOf(0)
  return decoder.decode(end < 0 ? part : part.subarray(0, end))
}

/** The last absolute part and what follows it. */
function joined(parts: readonly string[]): string {
  const from = parts.findLastIndex(part => part.startsWith('/'))
  return parts
    .slice(Math.max(0, from))
    .filter(part => part !== '' && part !== '.')
    .join('/')
}
