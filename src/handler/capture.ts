/** The core from the pipe to the file: read, counted against its own headers, compressed, cut where a limit says so. */
import type { StoredCore, TruncationReason } from '../archive/manifest.ts'
import { isNoSpace, reasonOf } from '../base/errors.ts'
import { Lz4Writer } from '../lz4/index.ts'
import { smallRecord } from './admission.ts'
import { BlockEncoder } from './block-encoder.ts'
import { blockSize } from './block-ring.ts'
import type { CoreInput } from './core-input.ts'
import type { DumpStorage } from './storage.ts'

export interface CaptureOptions {
  /** Most bytes of the core that are kept. */
  most: number
  /** Why no more than a small record is kept. */
  refused?: string | undefined
  threads: number
  script: string
}

export interface Captured {
  /** Bytes of content in the file. */
  stored: number
  expected?: number
  truncated?: Truncation
}

export interface Truncation {
  reason: TruncationReason
  detail: string
}

/**
 * Reads the core to its end, or to the limit. Where the storage fails it stops, since there is nothing to hold the
 * process for.
 */
export function captureCore(input: CoreInput, storage: DumpStorage, options: CaptureOptions): Captured {
  const writer = new Lz4Writer(storage, blockSize)
  const pump = (): void => {
    input.pump()
    encoder.isUrgent = input.isFull
  }
  const encoder = new BlockEncoder(writer, { ...options, idle: pump })
  let truncated: Captured['truncated']
  let failure: unknown
  try {
    truncated = copy(input, encoder, options, pump, () => {
      encoder.isUrgent = false
      storage.release()
    })
  } catch (error) {
    failure = error
  }
  encoder.close()
  input.close()
  storage.release()
  try {
    // The last blocks are on their way still.
    if (failure === undefined) storage.flush()
  } catch (error) {
    failure = error
  }
  if (failure !== undefined) {
    truncated = storageFailure(failure)
    salvage(storage, writer)
  }
  const { received, size } = input
  const { expected } = size
  truncated ??= input.cut
  if (truncated === undefined && received < (expected ?? Number.POSITIVE_INFINITY))
    truncated = { reason: 'killed', detail: `The kernel ended the dump ${endedAt(received, expected)}` }
  return {
    stored: writer.contentSize,
    ...(expected === undefined ? {} : { expected }),
    ...(truncated === undefined ? {} : { truncated }),
  }
}

/** Where a dump ended that its own headers call unfinished, or whose headers never came. */
function endedAt(received: number, expected: number | undefined): string {
  const why = 'the process was killed while it was dumped, or memory ran out'
  if (expected !== undefined) return `after ${received} of ${expected} bytes: ${why}`
  return received === 0
    ? `before it sent anything: ${why}`
    : `after ${received} bytes, which hold no whole program headers: ${why}`
}

/** What part a core has was chosen for the limit that there is; of the others as much is kept from the beginning. */
function mostOf(input: CoreInput, { most, refused }: CaptureOptions): number {
  const isSmall = refused !== undefined && input.cut === undefined
  return isSmall ? Math.min(most, input.size.head + smallRecord) : most
}

/** Why it ends there. */
function endedBy(most: number, input: CoreInput, options: CaptureOptions): Truncation {
  const of = input.size.expected ?? input.received
  return most === options.most
    ? { reason: 'cap', detail: `The configured limit keeps ${most} of ${input.received} bytes` }
    : {
        reason: 'policy',
        detail: `Of ${of} bytes ${most} are kept for a small record, since ${options.refused}`,
      }
}

function copy(
  input: CoreInput,
  encoder: BlockEncoder,
  options: CaptureOptions,
  pump: () => void,
  onRelease: () => void,
): Captured['truncated'] {
  let slot = encoder.take()
  let buffer = encoder.buffer(slot)
  let filled = 0
  // A full block is handed over when the next byte that is kept is there: the last one ends differently.
  let full: number | undefined
  for (;;) {
    if (filled === 0) {
      // Nor can the last block be one that is passed over.
      const zeros = input.skipZeros(buffer.length, mostOf(input, options) - 1)
      if (zeros > 0 && full !== undefined) {
        encoder.submit(full)
        full = undefined
      }
      encoder.addZeros(zeros)
    }
    const got = input.read(buffer, filled)
    if (input.isReleased) onRelease()
    if (got === 0) break
    filled += got
    const most = mostOf(input, options)
    const over = Math.max(0, input.received - most)
    if (full !== undefined && filled > over) {
      const busy = encoder.submit(full)
      full = undefined
      // Zeros are read as fast as the kernel writes them, and from the pipe itself its pages are used again.
      if (busy || input.hasBacklog) pump()
    }
    if (over > 0) {
      encoder.finish(full === undefined ? buffer.subarray(0, filled - over) : encoder.buffer(full))
      return endedBy(most, input, options)
    }
    if (filled === buffer.length) {
      full = slot
      slot = encoder.take()
      buffer = encoder.buffer(slot)
      filled = 0
    }
  }
  encoder.finish(full === undefined ? buffer.subarray(0, filled) : encoder.buffer(full))
  return undefined
}

export const storageFailure = (error: unknown): Truncation =>
  isNoSpace(error)
    ? { reason: 'no-space', detail: `No space was left for the core: ${reasonOf(error)}` }
    : { reason: 'storage-error', detail: `The core could not be written: ${reasonOf(error)}` }

/** Room for end mark, index and manifest. */
const room = 256 * 1024

/** Ends a file that the disk has cut. */
function salvage(storage: DumpStorage, writer: Lz4Writer): void {
  const rewind = (offset: number): number => writer.rewind(offset)
  try {
    if (storage.salvage(room, rewind) || writer.contentSize === 0) return
    writer.finish(Buffer.alloc(0))
    storage.flush()
  } catch {
    keepBlocks(storage, rewind)
  }
}

/** The blocks so far are readable without an index. What no place took of that must not fail the end of the file. */
function keepBlocks(storage: DumpStorage, rewind: (offset: number) => number): void {
  try {
    storage.keepAcknowledged(rewind)
  } catch {
    // Then the end says what has failed.
  }
}

/** The manifest's account of what was captured. */
export function describeCore(captured: Captured, storedSize: number, file: string): StoredCore {
  return {
    state: captured.truncated === undefined ? 'complete' : 'truncated',
    ...(captured.truncated ?? {}),
    file,
    raw_size: captured.stored,
    stored_size: storedSize,
    ...(captured.expected === undefined ? {} : { expected_size: captured.expected }),
  }
}
