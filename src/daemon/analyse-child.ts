/**
 * Analyses one dump and prints its report. The daemon runs it under limits, since the dump is whatever someone made it:
 * this process opens the files it was told of, gives up its rights, and only then looks at what they hold.
 */
import { readFileSync, writeSync } from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { analyse } from '../engine/index.ts'
import { openCoreFile } from '../source/index.ts'
import { type AnalysisJob, ChildExit } from './analysis-job.ts'
import { openBinaries, withBinaries } from './job-files.ts'
import { shutIn } from './shut-in.ts'

try {
  const job = JSON.parse(readFileSync(0, 'utf8')) as AnalysisJob
  const core = openCoreFile(job.core, { tolerant: true, links: false })
  const binaries = openBinaries(job.binaries)
  shutIn(job.become)
  const { monotonicNow } = job
  const options = monotonicNow === undefined ? {} : { monotonicNow }
  const { result: report, mismatch } = withBinaries(binaries, files =>
    analyse({ ...core, name: job.name }, files, options),
  )
  if (mismatch !== undefined) report.warnings.unshift({ code: 'executable-mismatch', message: mismatch })
  for (const message of core.warnings) report.warnings.unshift({ code: 'core-damaged', message })
  // Not writeSync: the pipe may be full, and a stream waits for room.
  process.stdout.write(JSON.stringify(report))
} catch (error) {
  writeSync(2, `${reasonOf(error)}\n`)
  process.exitCode = ChildExit.refused
}
