/** `ls --watch`: rows as crashes come, each once its analysis is there or has taken too long to wait for. */
import { setTimeout as pause } from 'node:timers/promises'
import type { CrashFilter, CrashRow } from '../catalog/catalog.ts'
import type { GlobalArgs } from './options.ts'
import { crashTable } from './render/crash-table.ts'
import { fromDump, toJson } from './render/escape.ts'
import { writeLines } from './render/output.ts'
import { lookOf } from './render/style.ts'
import { noteAbsence, openSite } from './site.ts'
import { allWithWords } from './words.ts'

export interface WatchArgs extends GlobalArgs {
  json?: boolean
  quiet?: boolean
}

const everyMs = 1000
/** A crash is printed without its cause when the analysis takes longer. */
const patienceMs = 15_000

/** Prints until it is interrupted, or until nobody reads. JSON is one row a line. */
export async function watch(filter: CrashFilter, args: WatchArgs, signal?: AbortSignal): Promise<void> {
  const printed = new Set<string>()
  const waiting = new Map<string, number>()
  let first = true
  let headed = false
  while (!signal?.aborted) {
    // Opened anew each time: where no daemon runs, opening is what brings the catalog up to date.
    using site = openSite(args)
    if (first) noteAbsence(site)
    const rows = (await site.catalog())
      .list({ ...filter, limit: filter.limit ?? 200, reverse: false })
      .reverse()
    const ready = rows.filter(row => !printed.has(row.id) && (first || isReady(row, waiting)))
    for (const row of ready) printed.add(row.id)
    print(await allWithWords(site, ready), args, headed)
    headed ||= ready.length > 0
    first = false
    await pause(everyMs, undefined, signal ? { signal } : {}).catch(() => {})
  }
}

function isReady(row: CrashRow, waiting: Map<string, number>): boolean {
  if (row.analysis !== 'pending') return true
  const since = waiting.get(row.id) ?? Date.now()
  waiting.set(row.id, since)
  return Date.now() - since > patienceMs
}

function print(rows: readonly CrashRow[], args: WatchArgs, headed: boolean): void {
  if (rows.length > 0)
    writeLines(
      1,
      args.json ? rows.map(toJson) : args.quiet ? rows.map(row => row.id) : tableLines(rows, headed),
    )
}

const tableLines = (rows: readonly CrashRow[], headed: boolean): Iterable<string> =>
  crashTable(fromDump(rows), lookOf(process.stdout), { idWidth: 8, header: !headed, live: true })
