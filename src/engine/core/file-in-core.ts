/**
 * A mapped file out of the core itself: dumps with all file pages (`gcore -a`, bit 2 of coredump_filter) hold the
 * program that they are of. What was not mapped, section headers above all, is not there.
 */
import type { ByteSource } from '../bytes/byte-source.ts'
import type { Mapping } from './mapping.ts'
import type { Memory } from './memory.ts'

/** Bytes of a file that may lie between its mappings, beside as many as these have: linkers leave less. */
const mostUnmapped = 64 << 20

/** Undefined where the core lacks a byte of the mappings, or they say that the file is mostly something else. */
export function fileInCore(
  memory: Memory,
  mappings: readonly Mapping[],
  path: string,
): ByteSource | undefined {
  const parts = mappings.filter(mapping => mapping.path === path)
  if (parts.length === 0 || !parts.every(({ start, end }) => holds(memory, start, end))) return undefined
  const size = parts.reduce((max, { start, end, fileOffset }) => Math.max(max, fileOffset + end - start), 0)
  const mapped = parts.reduce((sum, { start, end }) => sum + end - start, 0)
  if (size - mapped > mapped + mostUnmapped) return undefined
  return {
    name: `${path} in the core`,
    size,
    read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
      for (const { start, end, fileOffset } of parts) {
        const from = Math.max(offset, fileOffset)
        const to = Math.min(offset + bytes.length, fileOffset + end - start)
        if (from < to) bytes.set(memory.read(start + from - fileOffset, to - from), from - offset)
      }
      return bytes
    },
  }
}

function holds(memory: Memory, start: number, end: number): boolean {
  const step = 64 << 20
  for (let at = start; at < end; at += step) if (!memory.has(at, Math.min(step, end - at))) return false
  return true
}
