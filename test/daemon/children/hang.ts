/**
 * Loaded into the daemon by NODE_OPTIONS=--import: when the file HANG appears, the thread that works does for ever what
 * stands in it.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const { HANG, HANG_OVER } = process.env
if (!isMainThread && HANG !== undefined)
  setInterval(() => {
    if (!existsSync(HANG)) return
    const how = readFileSync(HANG, 'utf8')
    if (how === 'spin') for (;;);
    if (how === 'ask for a file again and again') for (;;) statSync(HANG_OVER!, { throwIfNoEntry: false })
    if (how === 'wait for another thread') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }, 50)
