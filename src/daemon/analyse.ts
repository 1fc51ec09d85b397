/** Has one dump analysed by a child process, and puts the report, or why there is none, beside it. */
import { hostname } from 'node:os'
import type { Manifest } from '../archive/manifest.ts'
import type { ArchiveStore, DumpRef } from '../archive/store.ts'
import { reasonOf, SystemError } from '../base/errors.ts'
import { compileRedactions, redactArguments, redactDeep } from '../base/redact.ts'
import { toolVersion } from '../base/version.ts'
import { type Config, formatDuration, formatSize } from '../config/index.ts'
import { accountFor } from './account.ts'
import { type AnalysisJob, ChildExit, type JobBinary } from './analysis-job.ts'
import {
  type AnalysisRecord,
  mostAttempts,
  readAnalysisRecord,
  writeAnalysisRecord,
} from './analysis-record.ts'
import { confinedCommand, confinedEnvironment } from './confine.ts'
import { parseReport } from './report-file.ts'
import { type ChildEnd, runChild } from './run-child.ts'

export interface AnalyseOptions {
  store: ArchiveStore
  config: Pick<Config, 'analysis'> & Partial<Pick<Config, 'redact'>>
  /** Ends the child; the dump is then as if it had not been begun. */
  signal?: AbortSignal | undefined
  /** The child's program, for tests. */
  program?: string | undefined
  /** Resolves when the archive can be expected to answer; asked when the child has ended. */
  answers?: (() => Promise<void>) | undefined
}

export type AnalysisOutcome =
  | { state: 'done'; ms: number }
  | { state: 'failed'; ms: number; reason: string }
  | { state: 'interrupted' }

/**
 * Never throws for what the dump holds; throws where the archive can't be read or written, or this machine is short of
 * something.
 */
export async function analyseDump(ref: DumpRef, options: AnalyseOptions): Promise<AnalysisOutcome> {
  const { store } = options
  const manifest = store.readManifest(ref)
  const job = jobOf(store, ref, manifest, options.config.analysis.user)
  const before = readAnalysisRecord(store, ref)
  const started = Date.now()
  const record: AnalysisRecord = {
    ...{ schema: 'gocore-analysis', version: 1, state: 'running', tool: toolVersion, host: hostname() },
    started: new Date(started).toISOString(),
    attempts: (before?.tool === toolVersion ? before.attempts : 0) + 1,
  }
  if (typeof job === 'string') return fail(job)
  writeAnalysisRecord(store, ref, record)
  const end = await runJob(job, options)
  await options.answers?.()
  if (end.kind === 'aborted' || wasTold(end)) {
    handBack()
    return { state: 'interrupted' }
  }
  if (end.kind === 'unstartable') {
    handBack()
    throw new SystemError(failureOf(end, options.config.analysis))
  }
  // It counts: a dump that takes so much that the machine runs short is given up in the end.
  if (wasShort(end) && record.attempts < mostAttempts)
    throw new SystemError(failureOf(end, options.config.analysis))
  const report = reportOf(end, options.config.analysis)
  if ('reason' in report) return fail(report.reason)
  const ms = Date.now() - started
  try {
    store.writeReport(ref, redacted(report.json, manifest.process.cmdline, options.config.redact))
  } catch (error) {
    handBack()
    throw error
  }
  writeAnalysisRecord(store, ref, { ...record, state: 'done', ms })
  return { state: 'done', ms }

  /** Where the trouble is not the dump's it does not count as an attempt. */
  function handBack(): void {
    writeAnalysisRecord(store, ref, { ...record, attempts: record.attempts - 1 })
  }

  function fail(reason: string): AnalysisOutcome {
    const ms = Date.now() - started
    writeAnalysisRecord(store, ref, { ...record, state: 'failed', ms, reason })
    return { state: 'failed', ms, reason }
  }
}

/** Of what `parseReport` takes one of a few words for each; a goroutine's labels have the program's names. */
const keysOfReport = {
  own: ['schema', 'kind', 'layout', 'language', 'stripped', 'stack'],
  named: ['labels'],
}

/** A report quotes what the memory held: what looks like a secret is taken out before it is stored. */
function redacted(
  json: string,
  cmdline: readonly string[] | undefined,
  patterns: readonly string[] = [],
): string {
  const redact = compileRedactions(patterns)
  const report = redactDeep(JSON.parse(json), redact, keysOfReport)
  // The core has the arguments as one text, in which a secret of several words has no end.
  if (cmdline) report.program.args = redactArguments(cmdline, redact).join(' ')
  return JSON.stringify(report)
}

/** The job, or the sentence why there is none. */
export function jobOf(
  store: ArchiveStore,
  ref: DumpRef,
  manifest: Manifest,
  user: string,
): AnalysisJob | string {
  const core = store.corePath(ref)
  if (core === undefined) return 'the dump has no core in the archive'
  const binaries: JobBinary[] = []
  const { executable, libraries } = manifest
  for (const binary of executable ? [executable, ...libraries] : libraries) {
    const file = binary.key === undefined ? undefined : store.binaryPath(binary.key)
    if (file === undefined) continue
    const role = binary === executable ? 'executable' : 'library'
    binaries.push({ role, path: binary.path, file, ...(binary.build_id ? { buildId: binary.build_id } : {}) })
  }
  const clock = manifest.monotonic_ns === undefined ? {} : { monotonicNow: manifest.monotonic_ns }
  const become = accountFor(user)
  return { core, name: `core of ${ref.id}`, binaries, ...clock, ...(become ? { become } : {}) }
}

function runJob(job: AnalysisJob, { store, config, signal, program }: AnalyseOptions): Promise<ChildEnd> {
  const { timeout, memory, output } = config.analysis
  return runChild({
    // V8's own threads work too, so that processor time runs faster than the clock; this limit holds if we are gone.
    command: confinedCommand({ memory, seconds: 2 * timeout + 10 }, [store.root], program),
    env: confinedEnvironment,
    input: JSON.stringify(job),
    timeoutMs: timeout * 1000,
    memory,
    output,
    signal,
  })
}

function reportOf(end: ChildEnd, limits: Config['analysis']): { json: string } | { reason: string } {
  return end.kind === 'exit' && end.status === ChildExit.done
    ? checkedReport(end.output)
    : { reason: failureOf(end, limits) }
}

/** Whoever stops the daemon may tell all of its processes at once: that says nothing of the dump. */
export const wasTold = (end: ChildEnd): boolean =>
  end.kind === 'signal' && ['SIGTERM', 'SIGINT', 'SIGHUP'].includes(end.signal)

/** Killed by nobody here, which is the kernel's way when memory runs out; or Node had no thread, of which it dies. */
const wasShort = (end: ChildEnd): boolean =>
  end.kind === 'signal' && (end.signal === 'SIGKILL' || /\b(uv_thread|pthread)_create\b/.test(end.error))

/** The limit that a child met. */
export function limitMet(end: ChildEnd): 'timeout' | 'memory' | undefined {
  if (end.kind === 'timeout' || end.kind === 'memory') return end.kind
  if (end.kind === 'signal' && end.signal === 'SIGXCPU') return 'timeout'
  return 'error' in end && ranOutOfMemory(end.error) ? 'memory' : undefined
}

/** Why a child that analyses came to no good end, as a sentence. */
export function failureOf(end: ChildEnd, limits: Config['analysis']): string {
  if (end.kind === 'exit' && end.status === ChildExit.refused)
    return lastLine(end.error).slice(2) || 'it gave no reason'
  switch (limitMet(end)) {
    case 'timeout':
      return `it took longer than AnalysisTimeout=${formatDuration(limits.timeout)}`
    case 'memory':
      return `it needed more memory than AnalysisMemory=${formatSize(limits.memory)}`
  }
  switch (end.kind) {
    case 'output':
      return `the report is larger than AnalysisOutput=${formatSize(limits.output)}`
    case 'unstartable':
      return `the analysis could not be started: ${end.error}`
    case 'signal':
      return `the analysis was ended by ${end.signal}${lastLine(end.error)}`
    case 'exit':
      // A shell reports its program's signal as 128 and the number; 134 is V8's abort.
      return `the analysis ended with status ${end.status}${lastLine(end.error)}`
    default:
      return 'it was interrupted'
  }
}

const ranOutOfMemory = (error: string): boolean =>
  /out of memory|Array buffer allocation failed|bad_alloc|ERR_MEMORY_ALLOCATION_FAILED/i.test(error)

/** `: ` and the last line of what the child said, made harmless; nothing where it said nothing. */
function lastLine(error: string): string {
  const line = error.trim().split('\n').at(-1)!
  const harmless = line.replace(
    /[^\x20-\x7e]/g,
    byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return harmless === '' ? '' : `: ${harmless.slice(0, 500)}`
}

function checkedReport(output: Buffer): { json: string } | { reason: string } {
  try {
    const json = output.toString('utf8')
    parseReport(json, 'the report')
    return { json }
  } catch (error) {
    return { reason: `the analysis gave no report: ${reasonOf(error).slice(0, 500)}` }
  }
}
