/** Goroutines by equal stacks, as a table: how many, in which state, for how long, where, started by whom. */
import type { GoroutineGroup } from '../../engine/report/report.ts'
import { tellingFrame } from './own-code.ts'
import { shortPlace } from './stack.ts'
import { type Look, palette } from './style.ts'
import { type Column, table } from './table.ts'
import { formatAge } from './units.ts'

export function* groupTable(
  groups: readonly GoroutineGroup[],
  own: (symbol: string) => boolean,
  look: Look,
): Generator<string> {
  const paint = palette(look)
  const frame = (group: GoroutineGroup) => tellingFrame(group.frames, own)
  const wanted: Column<GoroutineGroup>[] = [
    { title: 'COUNT', cell: group => String(group.count), align: 'right', style: () => paint.bold },
    { title: 'STATE', cell: group => group.state, shrink: 2, least: 14 },
    { title: 'LONGEST', cell: wait },
    {
      title: 'WHERE',
      cell: group => shortName(frame(group)?.function ?? 'no frames'),
      shrink: 3,
      least: 28,
      cutFrom: 'start',
    },
    {
      title: 'AT',
      cell: group => place(frame(group)),
      shrink: 1,
      least: 16,
      cutFrom: 'start',
      style: () => paint.name,
    },
    { title: 'GOROUTINES', cell: ids, shrink: 4, least: 10, drop: 1, style: () => paint.dim },
  ]
  yield* table(groups, wanted, look, { indent: 2 })
}

const wait = (group: GoroutineGroup): string =>
  group.longestWaitNs && group.longestWaitNs >= 1e9 ? formatAge(group.longestWaitNs / 1e6) : ''

const place = (frame: { file: string; line: number } | undefined): string =>
  frame === undefined ? '' : shortPlace(frame.file, frame.line).split('/').at(-1)!

/** `cache.(*Cache).Get`: without the directories of the import path; the place beside it tells the rest. */
export const shortName = (symbol: string): string => {
  const bracket = symbol.indexOf('[')
  return symbol.slice(symbol.lastIndexOf('/', bracket < 0 ? undefined : bracket) + 1)
}

function ids(group: GoroutineGroup): string {
  const some = group.ids.slice(0, 4).join(', ')
  return group.count > 4 ? `${some}, …` : some
}
