/**
 * The program that the kernel starts for each crash, `gocore-sink-handler(8)`:
 *
 *     node handler.js [--config FILE] -- %P %u %g %s %t %c %e …      with the core on standard input
 *
 * The crashed process is held until standard input is closed, so everything before that is the least there can be.
 */
import { isMainThread, workerData } from 'node:worker_threads'
import { type CompressOrder, runCompressThread } from './compress-thread.ts'
import { handleCrash } from './handle-crash.ts'
import { lastWords } from './last-words.ts'

if (!isMainThread && (workerData as CompressOrder | null)?.kind === 'gocore-compress') {
  runCompressThread(workerData as CompressOrder)
} else {
  process.on('uncaughtException', lastWords)
  process.exitCode = await handleCrash(process.argv.slice(2), import.meta.url).catch(lastWords)
}
