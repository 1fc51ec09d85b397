/** Crashes as a table: `ls`, and the hits of `search`. */
import type { CrashRow } from '../../catalog/catalog.ts'
import { share } from './core-state.ts'
import { type Look, type Palette, palette } from './style.ts'
import { type Column, table } from './table.ts'
import { formatAge, formatSize, formatTime } from './units.ts'

export interface CrashTableOptions {
  readonly idWidth: number
  readonly header?: boolean
  /** The table grows as crashes come: its parts line up, and times are those of the clock. */
  readonly live?: boolean
}

export function* crashTable(
  rows: readonly CrashRow[],
  look: Look,
  { idWidth, header = true, live = false }: CrashTableOptions,
): Generator<string> {
  yield* table(rows, crashColumns(look, idWidth, live), look, { header, steady: live })
}

function crashColumns(look: Look, idWidth: number, live: boolean): Column<CrashRow>[] {
  const paint = palette(look)
  const when = (row: CrashRow): string =>
    live ? formatTime(row.time).slice(11, 19) : formatAge(look.now - row.time)
  return [
    { title: 'ID', cell: row => row.id.slice(0, idWidth), style: () => paint.name },
    { title: 'WHEN', cell: when, align: 'right', steady: 8 },
    { title: 'HOST', cell: row => row.host, shrink: 4, least: 6, drop: 2, steady: 10 },
    { title: 'PROGRAM', cell: program, shrink: 2, least: 10, steady: 20, style: () => paint.bold },
    { title: 'GO', cell: row => row.goVersion?.replace(/^go/, '').split(' ')[0] ?? '', drop: 3, steady: 7 },
    { title: 'CAUSE', cell: cause, shrink: 3, least: 40, steady: 60, style: row => causeStyle(row, paint) },
    {
      title: 'GOROUTINES',
      cell: row => (row.goroutines === null ? '' : String(row.goroutines)),
      align: 'right',
      drop: 4,
      steady: 10,
    },
    { title: 'CORE', cell: core, shrink: 1, least: 12, drop: 1, steady: 16 },
  ]
}

function program(row: CrashRow): string {
  const name =
    row.exe
      .replace(/ \(deleted\)$/, '')
      .split('/')
      .at(-1) || row.comm
  return row.programVersion ? `${name} ${row.programVersion}` : name
}

/** What it died of; for dumps not analysed, the signal and why that is all. */
export function cause(row: CrashRow): string {
  const pinned = (row.held ? '[on hold] ' : '') + (row.pinned ? '[pinned] ' : '')
  if (row.cause) return pinned + oneLine(row.cause) + (row.causeAt ? `, ${row.causeAt}` : '')
  const noCore = row.coreState === 'none' ? `no core${row.coreReason ? `: ${row.coreReason}` : ''}` : ''
  const why = { pending: 'not analysed yet', failed: 'analysis failed', none: noCore, done: '' }[row.analysis]
  return `${pinned}${row.signalName}${why ? ` (${why})` : ''}`
}

const oneLine = (text: string): string => text.split('\n')[0]!

function causeStyle(row: CrashRow, paint: Palette): Palette['bold'] | undefined {
  return row.analysis === 'pending' || row.analysis === 'failed' ? paint.dim : undefined
}

/** `212 MB → 3.1 MB`, with what is missing: `54 MB → 0.4 MB, 61 %`. */
function core(row: CrashRow): string {
  if (row.coreState === 'none') return `none${row.coreReason ? `: ${row.coreReason}` : ''}`
  const size = `${formatSize(row.rawSize)} → ${formatSize(row.storedSize)}${row.shrunk ? ' mini' : ''}`
  if (row.coreState === 'complete') return size
  const part = share({
    raw_size: row.rawSize,
    ...(row.expectedSize ? { expected_size: row.expectedSize } : {}),
  })
  return `${size}, ${part === undefined ? 'cut' : `${part} %`}`
}

/** The least width from which ids of a list are unique, at least `least`. */
export function idWidth(ids: readonly string[], least = 6): number {
  const sorted = [...ids].sort()
  let width = least
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!]
    let same = 0
    while (same < a.length && a[same] === b[same]) same++
    width = Math.max(width, Math.min(same + 1, a.length))
  }
  return width
}
