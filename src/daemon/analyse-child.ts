/**
 * Analyses one dump and prints its report. The daemon runs it under limits, since the dump is whatever someone made it:
 * this process opens the files it was told of, gives up its rights, and only then looks at what they hold.
 */
import { readFileSync, writeSync } from 'node:fs'
import { MismatchError, reasonOf } from '../base/errors.ts'
import { analyse, type ByteSource, type FileProvider, type Report } from '../engine/index.ts'
import { type OpenSource, openCoreFile, openFile } from '../source/index.ts'
import { type AnalysisJob, ChildExit, type JobBinary } from './analysis-job.ts'
import { shutIn } from './shut-in.ts'

try {
  const job = JSON.parse(readFileSync(0, 'utf8')) as AnalysisJob
  const core = openCoreFile(job.core, { tolerant: true })
  const binaries = openBinaries(job.binaries)
  shutIn(job.become)
  const report = analyseWith({ ...core, name: job.name }, binaries, job)
  for (const message of core.warnings) report.warnings.unshift({ code: 'core-damaged', message })
  // Not writeSync: the pipe may be full, and a stream waits for room.
  process.stdout.write(JSON.stringify(report))
} catch (error) {
  writeSync(2, `${reasonOf(error)}\n`)
  process.exitCode = ChildExit.refused
}

type OpenBinary = JobBinary & { source: OpenSource }

/** A binary that can't be opened is one the engine does without, and says so. */
function openBinaries(binaries: readonly JobBinary[]): OpenBinary[] {
  return binaries.flatMap(binary => {
    try {
      return { ...binary, source: openFile(binary.file) }
    } catch {
      return []
    }
  })
}

/** An executable that turns out to be another program's is left out: the core alone still says how it died. */
function analyseWith(
  core: ByteSource,
  binaries: readonly OpenBinary[],
  { monotonicNow }: AnalysisJob,
): Report {
  const options = monotonicNow === undefined ? {} : { monotonicNow }
  try {
    return analyse(core, providerOf(binaries), options)
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error
    const report = analyse(core, providerOf(binaries.filter(({ role }) => role !== 'executable')), options)
    report.warnings.unshift({ code: 'executable-mismatch', message: error.message })
    return report
  }
}

/** By build id, else by name. The executable came of /proc/PID/exe: it is the program, under whatever name. */
function providerOf(binaries: readonly OpenBinary[]): FileProvider {
  return {
    find: ({ path, buildId, role }) => {
      const byId = buildId === undefined ? undefined : binaries.find(binary => binary.buildId === buildId)
      const named = binaries.find(binary =>
        role === 'executable' ? binary.role === role : binary.path === path,
      )
      return (byId ?? named)?.source
    },
  }
}
