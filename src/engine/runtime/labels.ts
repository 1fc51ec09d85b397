/** Profiler labels of a goroutine, `g.labels`: runtime/pprof. */
import { MemoryFault } from '../../base/errors.ts'
import { utf8 } from '../bytes/cursor.ts'
import type { Memory } from '../core/memory.ts'

const maxLabels = 1024
const maxText = 1 << 16

/** In the order of the program's list; empty where there are none, or where they cannot be read. */
export function readLabels(memory: Memory, addr: number, goMinor: number): [string, string][] {
  if (addr === 0) return []
  try {
    // Go 1.24 (CL 607435): a sorted list in place of the map.
    return goMinor >= 24 ? readList(memory, addr) : readMap(memory, addr)
  } catch (error) {
    if (error instanceof MemoryFault) return []
    throw error
  }
}

/** A struct that holds one slice of {key, value string}. */
function readList(memory: Memory, addr: number): [string, string][] {
  const { ptrSize } = memory
  const [list, len] = [memory.word(addr), memory.word(addr + ptrSize)]
  if (len > maxLabels) return []
  return Array.from({ length: len }, (_, i) => {
    const at = list + i * 4 * ptrSize
    return [stringAt(memory, at), stringAt(memory, at + 2 * ptrSize)]
  })
}

/**
 * `*map[string]string` of Go before 1.24: hmap {count, flags u8, B u8, …, buckets}, buckets of 8 (tophash[8], keys,
 * values, overflow pointer); runtime/map.go. Labels are few and set once, so there are no old buckets to look at.
 */
function readMap(memory: Memory, addr: number): [string, string][] {
  const { ptrSize } = memory
  const hmap = memory.word(addr)
  const count = memory.word(hmap)
  const bits = memory.u8(hmap + ptrSize + 1)
  const buckets = memory.word(hmap + ptrSize + 8)
  if (count === 0 || count > maxLabels || bits > 10) return []
  const slots = 8
  const stringSize = 2 * ptrSize
  const bucketSize = slots + 2 * slots * stringSize + ptrSize
  const labels: [string, string][] = []
  for (let i = 0; i < 1 << bits; i++) {
    let bucket = buckets + i * bucketSize
    for (let chain = 0; bucket !== 0 && chain < maxLabels; chain++) {
      for (let slot = 0; slot < slots; slot++) {
        // minTopHash: smaller values mark empty slots.
        if (memory.u8(bucket + slot) < 5 || labels.length >= maxLabels) continue
        const key = bucket + slots + slot * stringSize
        labels.push([stringAt(memory, key), stringAt(memory, key + slots * stringSize)])
      }
      bucket = memory.word(bucket + bucketSize - ptrSize)
    }
  }
  return labels.sort(([a], [b]) => (a < b ? -1 : 1))
}

function stringAt(memory: Memory, header: number): string {
  const length = memory.word(header + memory.ptrSize)
  return utf8(memory.read(memory.word(header), Math.min(length, maxText)))
}

/** ` labels:{"key": "value", …}`, as Go 1.26 prints them within the brackets under GODEBUG=tracebacklabels=1. */
export function labelsInState(labels: readonly [string, string][]): string {
  if (labels.length === 0) return ''
  return ` labels:{${labels.map(([key, value]) => `${quoted(key)}: ${quoted(value)}`).join(', ')}}`
}

/** runtime.printquoted. */
function quoted(text: string): string {
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', '"': '\\"' }
  let result = ''
  for (const char of text) {
    const code = char.codePointAt(0)!
    const hex = (digits: number): string => code.toString(16).padStart(digits, '0')
    if (escapes[char] !== undefined) result += escapes[char]
    else if (code >= 0x20 && code <= 0x7e) result += char
    else if (code < 0x7f) result += `\\x${hex(2)}`
    else result += code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
  }
  return `"${result}"`
}
