/**
 * Analyses one dump and prints its report. The daemon runs it under limits, since the dump is whatever someone made it:
 * this process opens the files it was told of, gives up its rights, and only then looks at what they hold.
 */
import { readFileSync, writeSync } from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { analyse, type FileProvider } from '../engine/index.ts'
import { type OpenSource, openCoreFile, openFile } from '../source/index.ts'
import { type AnalysisJob, ChildExit, type JobBinary } from './analysis-job.ts'

try {
  const job = JSON.parse(readFileSync(0, 'utf8')) as AnalysisJob
  const core = openCoreFile(job.core)
  const files = openBinaries(job.binaries)
  if (job.become) become(job.become)
  const report = analyse({ ...core, name: job.name }, files, {})
  writeAll(JSON.stringify(report))
} catch (error) {
  writeSync(2, `${reasonOf(error)}\n`)
  process.exitCode = ChildExit.refused
}

function become({ uid, gid }: { uid: number; gid: number }): void {
  process.setgroups!([gid])
  process.setgid!(gid)
  process.setuid!(uid)
}

/** A binary that can't be opened is one the engine does without, and says so. */
function openBinaries(binaries: readonly JobBinary[]): FileProvider {
  const opened: (JobBinary & { source: OpenSource })[] = []
  for (const binary of binaries) {
    try {
      opened.push({ ...binary, source: openFile(binary.file) })
    } catch (error) {
      writeSync(2, `Could not open ${binary.path}, going on without: ${reasonOf(error)}\n`)
    }
  }
  return {
    find: ({ path, buildId }) => {
      const byId = buildId === undefined ? undefined : opened.find(binary => binary.buildId === buildId)
      return (byId ?? opened.find(binary => binary.path === path))?.source
    },
  }
}

function writeAll(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
