/**
 * `analysis.json`: what became of the attempts to analyse a dump. It lies in the archive and not in the catalog alone,
 * so that a dump whose analysis fails is not tried again by each daemon that sees it, nor after a reindex; and it is
 * written before an attempt begins, so that a dump that takes the whole daemon down is given up in the end.
 */
import type { Manifest } from '../archive/manifest.ts'
import type { ArchiveStore, DumpRef } from '../archive/store.ts'
import { compareVersions, toolVersion } from '../base/version.ts'
import type { CrashRow } from '../catalog/index.ts'

export interface AnalysisRecord {
  schema: 'gocore-analysis'
  version: 1
  state: 'running' | 'done' | 'failed'
  /** Version of gocore-sink. */
  tool: string
  host: string
  /** ISO 8601 UTC. */
  started: string
  /** Of this version of the tool, those that nobody saw the end of included. */
  attempts: number
  ms?: number
  /** Why it failed, a sentence. */
  reason?: string
}

/** So many attempts without an end, and the dump is held to be what ends the daemon. */
export const mostAttempts = 3

/** Undefined where there is none, and for one that can't be understood: the worst that follows is one more attempt. */
export function readAnalysisRecord(store: ArchiveStore, ref: DumpRef): AnalysisRecord | undefined {
  try {
    const text = store.readAnalysis(ref)
    const value = text === undefined ? undefined : (JSON.parse(text) as AnalysisRecord | null)
    const known = value?.schema === 'gocore-analysis' && value.version === 1 && typeof value.tool === 'string'
    return known && Number.isSafeInteger(value.attempts) ? value : undefined
  } catch {
    return undefined
  }
}

export function writeAnalysisRecord(store: ArchiveStore, ref: DumpRef, record: AnalysisRecord): void {
  store.writeAnalysis(ref, `${JSON.stringify(record, null, 1)}\n`)
}

/** How a dump without a report stands: what the catalog shows, and whether the daemon takes it up. */
export function standingOf(
  manifest: Manifest,
  record: AnalysisRecord | undefined,
): Pick<CrashRow, 'analysis' | 'analysisError'> {
  // What was encrypted before it had a report gets none here: the key is elsewhere.
  if (manifest.core.state === 'none' || manifest.core.encrypted !== undefined)
    return { analysis: 'none', analysisError: null }
  // A newer program may know better; an older one does not get to try what a newer one could not do.
  const ours = record !== undefined && compareVersions(record.tool, toolVersion) >= 0
  if (ours && record.state === 'failed')
    return { analysis: 'failed', analysisError: (record.reason ?? 'no reason was recorded').slice(0, 2000) }
  if (ours && record.state === 'running' && record.attempts >= mostAttempts)
    return { analysis: 'failed', analysisError: `${record.attempts} attempts never came to an end` }
  return { analysis: 'pending', analysisError: null }
}
