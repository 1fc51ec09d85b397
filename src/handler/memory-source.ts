/** Whether a core comes from the process's memory, whole or in part, in the place of the kernel's stream. */
import type { TruncationReason } from '../archive/manifest.ts'
import { smallRecord } from './admission.ts'
import type { FromMemory, OpenMemory } from './core-input.ts'
import type { CoreSize } from './core-size.ts'
import { foreignMemory } from './foreign-memory.ts'
import { MemoryStream, openMemoryStream } from './memory-stream.ts'
import { planMiniCore } from './mini-core.ts'
import { statusValue } from './proc-text.ts'
import type { Snapshot } from './process-info.ts'
import { ProcessMemory } from './process-memory.ts'
import type { DumpStorage } from './storage.ts'

/** A core that is so many times the room there is does not fit, however well it is compressed. */
const hopeless = 8
/** Of mapped files that are in the core and not in memory. */
const fileContent = 64 << 20
/** What LZ4 leaves of zeros. */
const zerosShare = 1 / 240
/** For a smaller core nobody waits to hear how much room there is. */
const worthAsking = 64 << 20

/**
 * The way to the process's memory, where it is surely that process, and known which of it is somebody's; undefined where it
 * isn't.
 */
export function memoryOf(
  { directory, anonymous, files, facts }: Pick<Snapshot, 'directory' | 'anonymous' | 'files' | 'facts'>,
  most: number,
  storage: Pick<DumpStorage, 'room'>,
  refused?: string,
): OpenMemory | undefined {
  if (directory === undefined || files === undefined) return undefined
  // Now, and not when it is asked for: threads that are confined by then may not make what it needs.
  const foreign = foreignMemory(files)
  const open = (): ProcessMemory => new ProcessMemory(directory, foreign)
  return (size, begin) => {
    const limit = limitOf(size.expected ?? 0, begin.length, usedOf(facts.status), most, storage, refused)
    const part = limit && openPart(open(), size, begin, limit)
    if (part !== undefined) return part
    const stream = openMemoryStream(open, size.segments, anonymous, begin.length)
    return stream && { stream }
  }
}

interface Limit {
  readonly most: number
  /** What is behind it follows as far as it goes, and the storage says how far. */
  readonly andRest?: true
  readonly reason: TruncationReason
  readonly why: string
}

/** Bytes of memory that the process had in use, swapped or not; more than any where that can't be told. */
function usedOf(status = ''): number {
  const kilobytes = (key: string): number => Number(/^(\d+) kB$/.exec(statusValue(status, key) ?? '')?.[1])
  const used = 1024 * (kilobytes('VmRSS') + (kilobytes('VmSwap') || 0))
  return used > 0 ? used : Number.POSITIVE_INFINITY
}

function limitOf(
  expected: number,
  head: number,
  used: number,
  most: number,
  storage: Pick<DumpStorage, 'room'>,
  refused: string | undefined,
): Limit | undefined {
  const small = head + smallRecord
  if (refused !== undefined && expected > small && small <= most)
    return { most: small, reason: 'policy', why: `a small record, since ${refused}` }
  if (expected > most) return { most, reason: 'cap', why: 'the configured limit' }
  if (expected < worthAsking) return undefined
  const lack = { reason: 'no-space', why: 'the room there is' } as const
  // What was reserved and never used compresses to next to nothing.
  const content = Math.min(expected, used + fileContent + expected * zerosShare)
  const room = storage.room(content)
  if (content < room) return undefined
  // Compressed it may fit.
  if (content < room * hopeless) return { most: Math.floor(room / 2), andRest: true, ...lack }
  return { most: Math.floor(room * 0.9), ...lack }
}

function openPart(
  memory: ProcessMemory,
  size: CoreSize,
  begin: Buffer,
  limit: Limit,
): FromMemory | undefined {
  const { expected } = size
  const read = (buffer: Buffer, address: number): void => void memory.read(buffer, address)
  const notes = begin.subarray(0, size.segments[0]!.offset)
  const segments = size.segments.filter(
    ({ address, offset, end }) => !memory.isForeign(address, address + (end - offset)),
  )
  // Where all of it is to come, the kernel alone has what is somebody's.
  const isWhole = segments.length === size.segments.length
  const plan =
    limit.andRest && !isWhole ? undefined : planMiniCore(notes, segments, read, limit.most, limit.andRest)
  if (plan === undefined) {
    memory.close()
    return undefined
  }
  const { header, runs, end } = plan
  const detail = `Of ${expected} bytes ${end} are kept for ${limit.why}: stacks, goroutines and data before heap`
  const stream = new MemoryStream(memory, runs, header.length, end)
  if (limit.andRest) return { stream, part: { header } }
  return {
    stream,
    part: { header, why: { reason: limit.reason, detail } },
  }
}
