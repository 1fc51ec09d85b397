/** A thread that compresses blocks of the ring. It lives until the ring is stopped and has nothing else to fail on. */
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

/** While the process is held, that of the kernel's writer; then behind the process that gives its memory back. */
const nice = { held: 0, released: 10 }

export function runCompressThread(): void {
  const order = process.getBuiltinModule('node:worker_threads').workerData as CompressOrder
  const ring = new BlockRing(order.slots, order.blockSize, order.memory)
  // On Linux niceness is a thread's own, and 0 means the calling one.
  if (!ring.isRelaxed) setPriority(0, nice.held)
  let relaxed = false
  ring.sayReady()
  do {
    for (let slot = ring.claim(); slot !== undefined; slot = ring.claim()) {
      if (ring.isRelaxed && !relaxed) {
        setPriority(0, nice.released)
        relaxed = true
      }
      ring.finish(slot, writeBlock(ring.raw(slot).subarray(0, ring.rawLength(slot)), ring.encoded(slot)))
    }
  } while (ring.awaitTicket())
}
