/** Goroutines one by one, as a table. */
import type { Goroutine } from '../../engine/report/report.ts'
import { shortName } from './groups.ts'
import { tellingFrame } from './own-code.ts'
import { shortPlace } from './stack.ts'
import { type Look, palette } from './style.ts'
import { type Column, table } from './table.ts'
import { formatAge } from './units.ts'

export function* goroutineTable(
  list: readonly Goroutine[],
  own: (symbol: string) => boolean,
  look: Look,
): Generator<string> {
  const paint = palette(look)
  const frames = new Map(list.map(g => [g, tellingFrame(g.frames, own)]))
  const at = (g: Goroutine): string => {
    const frame = frames.get(g)
    return frame ? shortPlace(frame.file, frame.line).split('/').at(-1)! : ''
  }
  const wanted: Column<Goroutine>[] = [
    { title: 'ID', cell: g => String(g.id), align: 'right', style: () => paint.bold },
    { title: 'STATE', cell: g => g.state, shrink: 2, least: 14 },
    { title: 'WAITED', cell: g => (g.waitNs && g.waitNs >= 1e9 ? formatAge(g.waitNs / 1e6) : '') },
    { title: 'THREAD', cell: g => (g.thread === undefined ? '' : String(g.thread)), align: 'right', drop: 2 },
    {
      title: 'WHERE',
      cell: g => shortName(frames.get(g)?.function ?? 'no frames'),
      shrink: 3,
      least: 28,
      cutFrom: 'start',
    },
    { title: 'AT', cell: at, style: () => paint.name },
    {
      title: 'CREATED BY',
      cell: g => (g.createdBy ? shortName(g.createdBy.function) : ''),
      shrink: 4,
      least: 16,
      cutFrom: 'start',
      drop: 3,
      style: () => paint.dim,
    },
  ]
  yield* table(list, wanted, look)
}
