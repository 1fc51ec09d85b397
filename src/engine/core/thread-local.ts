/**
 * Where a thread has its own copy of a file's thread-local variables: below the thread pointer for the program itself,
 * and for libraries where the C library's tables say (ELF Handling For Thread-Local Storage, variant II, section 3.4.6;
 * glibc's nptl_db tells where in its link maps a file's number stands).
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from './memory.ts'
import type { LoadedFile, ProcessImage } from './process-image.ts'

const [ptDynamic, ptTls] = [2, 7]
const dtDebug = 21
/** More files are not loaded into any process. */
const maxMaps = 4096
const maxTags = 1024
/** glibc's dtv_t: a pointer and what to free. */
const dtvEntry = 16
const unallocated = 2n ** 64n - 1n

/** Address of byte `offset` of the file's block in the thread; undefined where the thread has none yet, or it is not told. */
export function threadLocalAddress(
  image: ProcessImage,
  file: LoadedFile,
  threadPointer: number,
  offset: number,
): number | undefined {
  const segment = file.elf.segments.find(({ type }) => type === ptTls)
  if (!segment || threadPointer === 0) return undefined
  try {
    const block =
      file.role === 'executable'
        ? threadPointer - Math.ceil(segment.memsz / (segment.align || 1)) * (segment.align || 1)
        : blockOfLibrary(image, file, threadPointer)
    return block === undefined ? undefined : block + inBlock(offset, segment)
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/** gcc's split debug information before DWARF 5 has the address of the variable's initial value in place of an offset. */
function inBlock(offset: number, { vaddr, memsz }: { vaddr: number; memsz: number }): number {
  return offset >= memsz && offset >= vaddr && offset < vaddr + memsz ? offset - vaddr : offset
}

function blockOfLibrary(image: ProcessImage, file: LoadedFile, threadPointer: number): number | undefined {
  const { memory } = image
  const map = linkMapOf(image, file)
  const [number, place] = ['l_tls_modid', 'l_tls_offset'].map(name => map && fieldOf(image, map, name))
  if (number === undefined || !(number > 0n && number < maxMaps)) return undefined
  const vector = memory.word(threadPointer + memory.ptrSize)
  const block = memory.u64(vector + Number(number) * dtvEntry)
  if (block !== 0n && block !== unallocated) return Number(block)
  // A thread that has not touched it yet: a block below the thread pointer is there all the same.
  return place !== undefined && place > 0n && place < 2n ** 32n ? threadPointer - Number(place) : undefined
}

/** A field of the dynamic linker's own `struct link_map`: `_thread_db_link_map_…` is its size in bits, count and offset. */
function fieldOf(image: ProcessImage, map: number, name: string): bigint | undefined {
  const { memory } = image
  for (const { elf, bias } of image.libraries) {
    const found = elf.symbols().find(symbol => symbol.name.startsWith(`_thread_db_link_map_${name}`))
    if (!found || found.value === 0) continue
    const [bits, offset] = [memory.u32(found.value + bias), memory.u32(found.value + bias + 8)]
    return bits === 64 ? memory.u64(map + offset) : BigInt(memory.u32(map + offset))
  }
  return undefined
}

/** The file's entry in the list that DT_DEBUG leads to (struct r_debug and link_map of link.h). */
function linkMapOf({ executable, memory }: ProcessImage, file: LoadedFile): number | undefined {
  const debug = executable && debugOf(executable, memory)
  const dynamic = file.elf.segments.find(({ type }) => type === ptDynamic)
  if (!debug || !dynamic) return undefined
  const size = memory.ptrSize
  let at = memory.word(debug + size)
  for (let n = 0; at !== 0 && n < maxMaps; n++) {
    if (memory.word(at + 2 * size) === dynamic.vaddr + file.bias) return at
    at = memory.word(at + 3 * size)
  }
  return undefined
}

function debugOf({ elf, bias }: LoadedFile, memory: Memory): number | undefined {
  const dynamic = elf.segments.find(({ type }) => type === ptDynamic)
  if (!dynamic) return undefined
  const size = memory.ptrSize
  for (let n = 0, at = dynamic.vaddr + bias; n < maxTags; n++, at += 2 * size) {
    const tag = memory.word(at)
    if (tag === dtDebug) return memory.word(at + size)
    if (tag === 0) return undefined
  }
  return undefined
}
