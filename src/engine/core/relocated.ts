/**
 * The writable data of a program file as the loader left it: position-independent programs hold most of their pointers
 * only as relocations. For cores in which that data is missing or damaged. gABI ch. 5, `DT_RELA`; only the relative
 * relocations, which are all that a static program has.
 */
import type { Arch } from '../arch/arch.ts'
import { bytesSource } from '../bytes/byte-source.ts'
import { copyOf, viewOf } from '../bytes/layout.ts'
import { SegmentFlag, SegmentType } from '../elf/constants.ts'
import type { ElfFile, Segment } from '../elf/file.ts'
import type { Region } from './memory.ts'

const DT_RELA = 7
const DT_RELASZ = 8
const maxSegment = 256 << 20
const maxTable = 256 << 20

/** Regions of the file's writable segments at their addresses, relocated. */
export function relocatedData(elf: ElfFile, bias: number, arch: Arch): Region[] {
  const writable = elf.segments.filter(
    ({ type, flags, filesz }) =>
      type === SegmentType.load && (flags & SegmentFlag.write) !== 0 && filesz > 0 && filesz <= maxSegment,
  )
  const images = writable.map(segment => ({
    segment,
    bytes: copyOf(elf.source.read(segment.offset, segment.filesz)),
  }))
  if (bias !== 0) applyRelative(elf, bias, arch, images)
  return images
    .filter(({ bytes }) => bytes.length > 0)
    .map(({ segment, bytes }) => ({
      start: segment.vaddr + bias,
      end: segment.vaddr + bias + bytes.length,
      source: bytesSource(elf.source.name, bytes),
      offset: 0,
      origin: 'file' as const,
    }))
    .sort((a, b) => a.start - b.start)
}

function applyRelative(
  elf: ElfFile,
  bias: number,
  arch: Arch,
  images: readonly { segment: Segment; bytes: Uint8Array }[],
): void {
  const { ptrSize, littleEndian } = arch
  const dynamic = elf.segments.find(({ type }) => type === SegmentType.dynamic)
  if (!dynamic || ptrSize !== 8) return
  const tags = viewOf(copyOf(elf.source.read(dynamic.offset, Math.min(dynamic.filesz, 1 << 16))))
  const tag = (wanted: number): number => {
    for (let at = 0; at + 16 <= tags.byteLength; at += 16)
      if (Number(tags.getBigUint64(at, littleEndian)) === wanted)
        return Number(tags.getBigUint64(at + 8, littleEndian))
    return 0
  }
  const table = copyOf(elf.bytesAt(tag(DT_RELA), Math.min(tag(DT_RELASZ), maxTable)))
  const view = viewOf(table)
  for (let at = 0; at + 24 <= table.length; at += 24) {
    if (view.getUint32(littleEndian ? at + 8 : at + 12, littleEndian) !== arch.relativeRelocation) continue
    const offset = Number(view.getBigUint64(at, littleEndian))
    const image = images.find(
      ({ segment: { vaddr }, bytes }) => offset >= vaddr && offset + 8 <= vaddr + bytes.length,
    )
    if (!image) continue
    const value = view.getBigInt64(at + 16, littleEndian) + BigInt(bias)
    viewOf(image.bytes).setBigUint64(offset - image.segment.vaddr, BigInt.asUintN(64, value), littleEndian)
  }
}
