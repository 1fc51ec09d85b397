/** Goroutines one by one, as a table. */
import type { Goroutine } from '../../engine/report/report.ts'
import { shortName } from './groups.ts'
import { tellingFrame } from './own-code.ts'
import { shortPlace } from './stack.ts'
import { type Look, palette } from './style.ts'
import { type Column, table } from './table.ts'
import { formatAge } from './units.ts'

/** What the table shows of a goroutine: without its frames, because a hundred thousand of them are in hand at a time. */
export interface GoroutineRow {
  readonly id: string
  readonly state: string
  readonly waited: string
  readonly thread: string
  readonly where: string
  readonly at: string
  readonly creator: string
  readonly labels: string
}

export function goroutineRow(g: Goroutine, own: (symbol: string) => boolean): GoroutineRow {
  const frame = tellingFrame(g.frames, own)
  return {
    id: String(g.id),
    state: g.state,
    waited: g.waitNs && g.waitNs >= 1e9 ? formatAge(g.waitNs / 1e6) : '',
    thread: g.thread === undefined ? '' : String(g.thread),
    where: shortName(frame?.function ?? 'no frames'),
    at: frame ? shortPlace(frame.file, frame.line).split('/').at(-1)! : '',
    creator: g.createdBy ? shortName(g.createdBy.function) : '',
    labels: Object.entries(g.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  }
}

export function* goroutineTable(rows: readonly GoroutineRow[], look: Look): Generator<string> {
  const paint = palette(look)
  const wanted: Column<GoroutineRow>[] = [
    { title: 'ID', cell: row => row.id, align: 'right', style: () => paint.bold },
    { title: 'STATE', cell: row => row.state, shrink: 2, least: 14 },
    { title: 'WAITED', cell: row => row.waited },
    { title: 'THREAD', cell: row => row.thread, align: 'right', drop: 2 },
    { title: 'WHERE', cell: row => row.where, shrink: 3, least: 28, cutFrom: 'start' },
    { title: 'AT', cell: row => row.at, style: () => paint.name },
    { title: 'LABELS', cell: row => row.labels, shrink: 5, least: 12, drop: 4 },
    {
      title: 'CREATED BY',
      cell: row => row.creator,
      shrink: 4,
      least: 16,
      cutFrom: 'start',
      drop: 3,
      style: () => paint.dim,
    },
  ]
  yield* table(rows, wanted, look)
}
