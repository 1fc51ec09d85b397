/** The panes laid out on so many columns and rows: a pure function, so that a resize is only another call. */
import type { Palette } from '../../render/style.ts'
import { cut, padEnd, columns as widthOf } from '../../render/text.ts'
import { type Pane, type PaneName, paneNames } from './pane.ts'

export interface View {
  readonly focus: PaneName
  /** First line that is shown of a pane, where the user has scrolled it. */
  readonly scroll: Partial<Record<PaneName, number>>
  /** The line that is marked in the focused pane. */
  readonly marked: Partial<Record<PaneName, number>>
  readonly status: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

interface Box {
  readonly pane: Pane
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Narrower or lower than this, one pane at a time is shown. */
const leastColumns = 72
const leastRows = 16

/** Exactly `rows` lines of exactly `columns` columns. */
export function screenLines(
  panes: Readonly<Record<PaneName, Pane>>,
  view: View,
  { columns, rows }: Size,
  paint: Palette,
): string[] {
  const body = Math.max(1, rows - 1)
  const boxes = layout(panes, view, { columns, rows: body })
  const lines: string[] = []
  for (let y = 0; y < body; y++) {
    const row = boxes.filter(box => y >= box.top && y < box.top + box.height).sort((a, b) => a.left - b.left)
    lines.push(row.map(box => boxLine(box, y - box.top, view, paint)).join(paint.dim('│')))
  }
  return [...lines, paint.dim(fit(view.status, columns))].slice(0, rows)
}

function layout(panes: Readonly<Record<PaneName, Pane>>, view: View, { columns, rows }: Size): Box[] {
  if (columns < leastColumns || rows < leastRows)
    return [{ pane: panes[view.focus], left: 0, top: 0, width: columns, height: rows }]
  const left = Math.floor((columns - 1) * 0.58)
  const right = columns - 1 - left
  const half = Math.ceil(rows * 0.55)
  const first = Math.ceil(rows * 0.4)
  const last = Math.max(4, Math.min(panes.registers.length + 1, Math.floor(rows * 0.28)))
  return [
    { pane: panes.source, left: 0, top: 0, width: left, height: half },
    { pane: panes.variables, left: 0, top: half, width: left, height: rows - half },
    { pane: panes.stack, left: left + 1, top: 0, width: right, height: first },
    { pane: panes.goroutines, left: left + 1, top: first, width: right, height: rows - first - last },
    { pane: panes.registers, left: left + 1, top: rows - last, width: right, height: last },
  ]
}

function boxLine(box: Box, row: number, view: View, paint: Palette): string {
  const { pane, width, height } = box
  const focused = pane.name === view.focus
  if (row === 0) {
    const title = cut(` ${pane.title} `, width)
    const bar = `${title}${'─'.repeat(Math.max(0, width - widthOf(title)))}`
    return focused ? paint.bold(bar) : paint.dim(bar)
  }
  const index = firstLine(pane, view, height - 1) + row - 1
  if (index >= pane.length) return ' '.repeat(width)
  const text = fit(pane.line(index).replaceAll('\t', '    '), width)
  if (focused && index === view.marked[pane.name]) return paint.warn(text)
  return index === pane.current ? paint.bold(text) : text
}

/** Where the user scrolled to, else such that the current or marked line is in sight. */
export function firstLine(pane: Pane, { scroll, marked }: View, height: number): number {
  const last = Math.max(0, pane.length - height)
  const wanted = scroll[pane.name]
  if (wanted !== undefined) return Math.max(0, Math.min(wanted, last))
  const line = marked[pane.name] ?? pane.current ?? 0
  return Math.max(0, Math.min(line - Math.floor(height / 2), last))
}

const fit = (text: string, width: number): string => padEnd(cut(text, width), width)

/** The pane behind or before another. */
export function nextPane(name: PaneName, step: 1 | -1): PaneName {
  const at = paneNames.indexOf(name) + step
  return paneNames[(at + paneNames.length) % paneNames.length]!
}
