/** What hooks are told of a crash: `gocore-sink(7)` documents the JSON. Within a version, fields are only added. */
import { basename } from 'node:path'
import { visibleText } from '../../base/escape.ts'
import type { Catalog, CrashRow } from '../../catalog/index.ts'
import type { HookEvent } from '../../config/index.ts'

export interface CrashEvent {
  readonly schema: 'gocore-event'
  readonly version: 1
  /** All that it is; `crash` always. */
  readonly events: readonly HookEvent[]
  readonly id: string
  /** ISO 8601 UTC. */
  readonly time: string
  readonly host: string
  readonly program: string
  readonly program_version: string | null
  readonly go_version: string | null
  readonly pid: number
  readonly uid: number
  readonly signal: string
  readonly cause: string | null
  readonly cause_at: string | null
  readonly signature: string | null
  readonly signature_text: string | null
  readonly core: { readonly state: string; readonly reason: string | null; readonly stored_size: number }
  readonly analysis: string
  /** The last crash of the same kind before it, ISO 8601 UTC. */
  readonly previous: string | null
  /** Events since the last one that HooksPerHour left out. */
  readonly left_out: number
}

/**
 * New or back again by what the catalog has of its kind, on any machine. Analyses begin with the newest crash: where a later one
 * has been told, `isTold`, this one is neither. `silence` in seconds.
 */
export function crashEvent(
  row: CrashRow,
  catalog: Catalog,
  silence: number,
  leftOut: number,
  isTold: (row: CrashRow) => boolean,
): CrashEvent {
  const previous = previousOf(row, catalog)
  const events: HookEvent[] = ['crash']
  if (row.signatureKey !== null && !hasFollower(row, catalog, isTold)) {
    if (previous === undefined) events.push('new-signature')
    else if (row.time - previous.time > silence * 1000) events.push('regression')
  }
  return {
    ...{ schema: 'gocore-event', version: 1, events },
    ...{ id: row.id, time: new Date(row.time).toISOString(), host: visibleText(row.host) },
    program: visibleText(basename(row.exe) || row.comm),
    program_version: visible(row.programVersion),
    go_version: visible(row.goVersion),
    ...{ pid: row.pid, uid: row.uid, signal: visibleText(row.signalName) },
    ...{ cause: visible(row.cause), cause_at: visible(row.causeAt) },
    ...{ signature: visible(row.signatureKey), signature_text: visible(row.signatureText) },
    core: { state: row.coreState, reason: visible(row.coreReason), stored_size: row.storedSize },
    analysis: row.analysis,
    previous: previous === undefined ? null : new Date(previous.time).toISOString(),
    left_out: leftOut,
  }
}

/** Whoever is told hands it on, to terminals and tickets. */
const visible = (text: string | null): string | null => text && visibleText(text)

/** The last one before it; of the same millisecond, any other with a smaller id. */
function previousOf({ id, time, signatureKey }: CrashRow, catalog: Catalog): CrashRow | undefined {
  if (signatureKey === null) return undefined
  const before = catalog.list({ signature: signatureKey, until: time, limit: 10 })
  // The filter takes a beginning of a key.
  return before.find(row => row.signatureKey === signatureKey && (row.time < time || row.id < id))
}

/** Of the newest of its kind, which are told first. */
function hasFollower(
  { id, time, signatureKey }: CrashRow,
  catalog: Catalog,
  isTold: (row: CrashRow) => boolean,
): boolean {
  const later = catalog.list({ signature: signatureKey!, since: time, limit: 100 })
  return later.some(row => row.signatureKey === signatureKey && row.id !== id && isTold(row))
}
