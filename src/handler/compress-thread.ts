/** A thread that compresses blocks of the ring. It lives until the ring is stopped. */
import { setPriority } from 'node:os'
import { writeBlock } from '../lz4/index.ts'
import { BlockRing } from './block-ring.ts'

/** The first argument of such a thread, which runs the same file as the handler itself. No field of the kernel's is it. */
export const threadArgument = '--compress-thread'

export interface CompressOrder {
  slots: number
  blockSize: number
  memory: SharedArrayBuffer
}

/**
 * Behind the kernel's writer as long as that has room to write to, and behind everyone when the process has been let go;
 * level with it when it can go on only after us.
 */
const nice = { urgent: 0, patient: 10 }

export function runCompressThread(): void {
  const order = process.getBuiltinModule('node:worker_threads').workerData as CompressOrder
  const ring = new BlockRing(order.slots, order.blockSize, order.memory)
  let urgent: boolean | undefined
  ring.sayReady()
  try {
    do {
      for (let slot = ring.claim(); slot !== undefined; slot = ring.claim()) {
        if (ring.isUrgent !== urgent) {
          urgent = ring.isUrgent
          setNiceness(urgent ? nice.urgent : nice.patient)
        }
        const raw = ring.raw(slot).subarray(0, ring.rawLength(slot))
        ring.finish(slot, writeBlock(raw, ring.encoded(slot)))
      }
    } while (ring.awaitTicket())
  } finally {
    ring.sayGone()
  }
}

/** On Linux niceness is a thread's own, and 0 means the calling one. A better one takes CAP_SYS_NICE. */
function setNiceness(niceness: number): void {
  try {
    setPriority(0, niceness)
  } catch {
    // Then it takes the time that it takes.
  }
}
