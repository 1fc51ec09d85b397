/**
 * The screen in a terminal: the alternate screen is taken and given back whatever happens, keys move, and a resize draws
 * anew. Without a terminal the same panes are printed one below the other.
 */
import { emitKeypressEvents, type Key } from 'node:readline'
import { writeAll, writeLines } from '../../render/output.ts'
import { palette } from '../../render/style.ts'
import type { DebugState } from '../state.ts'
import { type Pane, type PaneName, paneNames, panesOf } from './pane.ts'
import { firstLine, nextPane, screenLines, type View } from './screen.ts'

/** ECMA-48 and xterm: alternate screen, cursor off, autowrap off; and all of it back. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l'
const keys = 'q leave  Tab pane  arrows, PgUp, PgDn move  Enter look at  u/d frame  r raw'
const maxPlainLines = 60

/** Plain text of all panes, for a pipe. */
export async function printPanes(state: DebugState): Promise<void> {
  const panes = await panesOf(state, [...state.debugger.goroutines()])
  writeLines(1, plainLines(Object.values(panes)))
}

function* plainLines(panes: readonly Pane[]): Generator<string> {
  for (const [i, pane] of panes.entries()) {
    if (i > 0) yield ''
    yield pane.title
    const from = pane.name === 'source' ? Math.max(0, (pane.current ?? 0) - 5) : 0
    const count = pane.name === 'source' ? 11 : maxPlainLines
    for (let index = from; index < Math.min(pane.length, from + count); index++)
      yield `${index === pane.current && pane.name !== 'source' ? '*' : ' '} ${pane.line(index)}`
    if (pane.length > from + count && pane.name !== 'source') yield `  … ${pane.length - from - count} more`
  }
}

/** Until the user leaves. */
export async function runScreen(state: DebugState): Promise<void> {
  const { stdin, stdout } = process
  const views = [...state.debugger.goroutines()]
  const paint = palette(state.look)
  let view: View = { focus: 'stack', scroll: {}, marked: {}, status: keys }
  let panes = await panesOf(state, views)
  const draw = (): void => {
    const size = { columns: Math.max(20, stdout.columns || 80), rows: Math.max(4, stdout.rows || 24) }
    const text = screenLines(panes, view, size, paint).map((line, y) => `\x1b[${y + 1};1H${line}`)
    writeAll(1, Buffer.from(`${text.join('')}\x1b[J`))
  }
  const refresh = async (): Promise<void> => {
    panes = await panesOf(state, views)
    view = { ...view, scroll: {}, marked: {} }
  }
  const restore = (): void => {
    stdin.setRawMode(false)
    stdin.pause()
    writeAll(1, Buffer.from(leave))
  }
  emitKeypressEvents(stdin)
  stdin.setRawMode(true)
  stdin.resume()
  writeAll(1, Buffer.from(enter))
  process.once('exit', restore)
  stdout.on('resize', draw)
  const pressed = keyQueue()
  try {
    draw()
    for await (const key of pressed.keys()) {
      if (key.name === 'q' || key.name === 'escape' || (key.ctrl && (key.name === 'c' || key.name === 'd')))
        break
      const height = Math.max(1, Math.floor((stdout.rows || 24) / 3))
      const next = moved(view, panes, key, height)
      if (next) view = next
      else if (await acted(state, view, panes, views, key)) await refresh()
      draw()
    }
  } finally {
    pressed.stop()
    stdout.off('resize', draw)
    process.off('exit', restore)
    restore()
  }
}

/** Keys one after the other, however fast they come. */
function keyQueue(): { keys(): AsyncGenerator<Key>; stop(): void } {
  const waiting: Key[] = []
  let wake: (() => void) | undefined
  const onKey = (_text: string | undefined, key: Key): void => {
    if (waiting.length < 1000) waiting.push(key)
    wake?.()
  }
  const onEnd = (): void => onKey(undefined, { name: 'q' })
  process.stdin.on('keypress', onKey)
  process.stdin.once('end', onEnd)
  return {
    async *keys() {
      for (;;) {
        const key = waiting.shift()
        if (key) yield key
        else
          await new Promise<void>(resolve => {
            wake = resolve
          })
      }
    },
    stop() {
      process.stdin.off('keypress', onKey)
      process.stdin.off('end', onEnd)
    },
  }
}

/** The view after a key that only moves in it; undefined for one that does something. */
export function moved(
  view: View,
  panes: Readonly<Record<PaneName, Pane>>,
  { name = '', shift }: Key,
  page: number,
): View | undefined {
  const { focus } = view
  if (name === 'tab') return { ...view, focus: nextPane(focus, shift ? -1 : 1) }
  if (name === 'right') return { ...view, focus: nextPane(focus, 1) }
  if (name === 'left') return { ...view, focus: nextPane(focus, -1) }
  if (/^[1-5]$/.test(name)) return { ...view, focus: paneNames[Number(name) - 1]! }
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    pageup: -page,
    pagedown: page,
    home: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
  }
  const step = steps[name]
  if (step === undefined) return undefined
  const pane = panes[focus]
  const bound = (line: number): number => Math.max(0, Math.min(pane.length - 1, line))
  if (focus === 'stack' || focus === 'goroutines') {
    const line = bound((view.marked[focus] ?? pane.current ?? 0) + step)
    return { ...view, marked: { ...view.marked, [focus]: line } }
  }
  const line = bound(firstLine(pane, view, page) + step)
  return { ...view, scroll: { ...view.scroll, [focus]: line } }
}

/** Whether the place that is looked at, or the way in which it is, has changed. */
async function acted(
  state: DebugState,
  { focus, marked }: View,
  panes: Readonly<Record<PaneName, Pane>>,
  views: Parameters<typeof panesOf>[1],
  { name }: Key,
): Promise<boolean> {
  const { stack, frame } = state.position
  if (name === 'r') {
    state.settings = { ...state.settings, raw: !state.settings.raw }
    return true
  }
  if (name === 'u' || name === 'd') {
    const next = frame && stack?.frames[frame.index + (name === 'u' ? 1 : -1)]
    if (next) state.position = { ...state.position, frame: next }
    return next !== undefined
  }
  const line = marked[focus] ?? panes[focus].current
  if (name !== 'return' || line === undefined) return false
  const chosen = focus === 'stack' ? stack?.frames[line] : undefined
  if (chosen) state.position = { ...state.position, frame: chosen }
  const view = focus === 'goroutines' ? views[line] : undefined
  if (view) state.position = state.placeOf({ kind: 'goroutine', id: view.id })
  return chosen !== undefined || view !== undefined
}
