/** A thread that sleeps as it is told to: over a path that it opens, a descriptor that it reads, or another thread. */
import { openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { ownThread } from '../../../src/daemon/thread-state.ts'

const { path, how } = workerData as { path: string; how: string }
const fd = how === 'read' ? openSync(path, 'r+') : -1
parentPort!.postMessage(ownThread())
if (how === 'open') openSync(path, 'r')
else if (how === 'read') readSync(fd, Buffer.alloc(1))
else if (how === 'wait') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
else for (const end = Date.now() + 3000; Date.now() < end; );
