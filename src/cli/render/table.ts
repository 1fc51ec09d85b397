/**
 * Tables that fit the terminal. Every column has its natural width as long as there is room; where there is not, the
 * columns that may shrink give way in order of `shrink`, and those marked `drop` go altogether before anything is cut
 * below its least width.
 */
import { type Look, palette, type Style } from './style.ts'
import { columns, cut, padEnd, padStart } from './text.ts'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** Higher gives way first; absent: never cut. */
  readonly shrink?: number
  /** Least width when shrunk. */
  readonly least?: number
  /** Which end of the text to keep: `start` cuts paths at their beginning. */
  readonly cutFrom?: 'end' | 'start'
  /** Higher is left out first where even the least widths are too much; absent: always there. */
  readonly drop?: number
  readonly style?: (row: Row) => Style | undefined
  /** Width at least in a table that comes in parts, so that the parts line up. */
  readonly steady?: number
}

const gap = 2
/** What is left of a text at the very least. */
const stub = 6

/** The lines of a table; with no rows, none. */
export function* table<Row>(
  rows: readonly Row[],
  wanted: readonly Column<Row>[],
  look: Look,
  options: { indent?: number; header?: boolean; steady?: boolean } = {},
): Generator<string> {
  if (rows.length === 0) return
  const indent = ' '.repeat(options.indent ?? 0)
  const header = options.header ?? true
  const natural = new Map(
    wanted.map(column => {
      const content = rows.reduce((most, row) => Math.max(most, columns(column.cell(row))), 0)
      const steady = options.steady ? (column.steady ?? 0) : 0
      // A column with nothing in it is left out.
      return [
        column,
        content + steady === 0 ? 0 : Math.max(content, steady, header ? columns(column.title) : 0),
      ]
    }),
  )
  const { shown, widths } = fit(wanted, natural, look.width - indent.length)
  const line = (
    text: (column: Column<Row>) => string,
    style: (column: Column<Row>) => Style | undefined,
  ): string =>
    indent +
    shown
      .map((column, i) => {
        const width = widths[i]!
        const content = cut(text(column), width, column.cutFrom)
        const padded = column.align === 'right' ? padStart(content, width) : padEnd(content, width)
        // The last column is not padded: no trailing blanks in files and pipes.
        const cell = i === shown.length - 1 && column.align !== 'right' ? content : padded
        return style(column)?.(cell) ?? cell
      })
      .join(' '.repeat(gap))
      .trimEnd()
  if (header)
    yield line(
      column => column.title,
      () => palette(look).dim,
    )
  for (const row of rows)
    yield line(
      column => column.cell(row),
      column => column.style?.(row),
    )
}

function fit<Row>(
  wanted: readonly Column<Row>[],
  natural: Map<Column<Row>, number>,
  width: number,
): { shown: Column<Row>[]; widths: number[] } {
  const least = (column: Column<Row>): number =>
    column.shrink === undefined ? natural.get(column)! : Math.min(natural.get(column)!, column.least ?? 8)
  const total = (shown: Column<Row>[], of: (column: Column<Row>) => number): number =>
    shown.reduce((sum, column) => sum + of(column), gap * (shown.length - 1))
  let shown = wanted.filter(column => natural.get(column)! > 0)
  while (total(shown, least) > width) {
    const victim = shown.filter(c => c.drop !== undefined).sort((a, b) => b.drop! - a.drop!)[0]
    if (victim === undefined) break
    shown = shown.filter(column => column !== victim)
  }
  const widths = shown.map(column => natural.get(column)!)
  const order = shown
    .map((column, i) => ({ column, i }))
    .filter(({ column }) => column.shrink !== undefined)
    .sort((a, b) => b.column.shrink! - a.column.shrink!)
  // Below their least widths they go last, where the terminal has no room for those.
  for (const floor of [least, () => stub])
    for (const { column, i } of order) {
      const over = widths.reduce((a, b) => a + b, gap * (shown.length - 1)) - width
      if (over > 0) widths[i] = Math.min(widths[i]!, Math.max(floor(column), widths[i]! - over))
    }
  return { shown, widths }
}
