/** One crash: the engine's report of its core beside the traceback that the program printed. */
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Report } from '../../src/engine/report/report.ts'
import { parseTraceback } from '../../test/support/traceback.ts'
import { compare } from './compare.ts'
import type { Crash } from './crash.ts'
import { fileSource } from './file-source.ts'
import type { Cell } from './table.ts'

/** Counts the crash into the cell; tells whether nothing was missed. */
export async function measure(crash: Crash, cell: Cell, where: string): Promise<boolean> {
  const traceback = parseTraceback(readFileSync(crash.text, 'utf8'))
  try {
    const before = performance.now()
    const report = await reportOf(crash)
    const ms = performance.now() - before
    return cell.add(crash.program, where, compare(traceback, report), ms)
  } catch (error) {
    cell.fail(crash.program, where, error instanceof Error ? (error.stack ?? error.message) : String(error))
    return false
  }
}

/** The whole report, every goroutine and every frame. */
export async function reportOf(crash: Crash): Promise<Report> {
  const { analyse } = await import('../../src/engine/index.ts')
  using core = fileSource(crash.core)
  using executable = fileSource(crash.executable)
  const files = { executable, find: () => undefined }
  const { monotonicNow } = crash
  const clock = monotonicNow === undefined ? {} : { monotonicNow }
  return analyse(core, files, { maxGoroutines: Number.MAX_SAFE_INTEGER, ...clock })
}
