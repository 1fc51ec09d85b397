/** A stack for people: one frame a line with its place at the right, source lines below where they are known. */
import type { CreatedBy, Frame } from '../../engine/report/report.ts'
import type { SourceFinder, SourceLine } from '../source-lines.ts'
import { printable } from './escape.ts'
import { fold } from './fold.ts'
import { type Look, type Palette, palette, widest } from './style.ts'
import { columns, count, cut, padEnd } from './text.ts'

export interface StackOptions {
  readonly source: SourceFinder
  /** Whether a function is the program's own, as against the Go runtime and library. */
  readonly own: (symbol: string) => boolean
  /** Frames shown at most; the middle of longer stacks is left out. */
  readonly most: number
  /** Number of the first frame; 0 unless it goes on from another part. */
  readonly from?: number
  /** Frames with source lines at most. */
  readonly withSource: number
}

/** Wide enough for long names, narrow enough for the eye to follow from name to place. */

export function* stack(frames: readonly Frame[], look: Look, options: StackOptions): Generator<string> {
  const paint = palette(look)
  const width = Math.min(look.width, widest)
  const shown = frames.filter(frame => !frame.hidden)
  const items = [
    ...fold(shown, (a, b) => a.function === b.function && a.line === b.line && a.file === b.file),
  ]
  const firstOwn = shown.find(frame => options.own(frame.function))
  const seen = new Set<string>()
  const { top, left, bottom } = middleOut(items, options.most)
  for (const part of [top, bottom]) {
    if (part === bottom && left > 0)
      yield paint.dim(`      … ${count(left, 'frame')} left out (--all shows them)`)
    for (const item of part) {
      if ('again' in item) {
        const what = item.period === 1 ? 'the same call' : `the same ${item.period} calls`
        yield paint.dim(`      … ${what} ${count(item.again, 'more time')}`)
        continue
      }
      const { item: frame, index } = item
      const own = options.own(frame.function)
      yield* frameLines((options.from ?? 0) + index, frame, width, paint, own)
      const place = `${frame.file}:${frame.line}`
      if (!own || seen.has(place) || seen.size === options.withSource) continue
      const around = frame === firstOwn ? { before: 2, after: 2 } : { before: 0, after: 0 }
      const lines = options.source.lines(frame, around)
      if (lines === undefined) continue
      seen.add(place)
      yield* sourceBlock(lines, width, paint)
    }
  }
}

/** `created by main.serve in goroutine 1      main.go:30`. */
export function creatorLine(by: CreatedBy, look: Look): string {
  const paint = palette(look)
  const text = `created by ${by.function}${by.goroutine === undefined ? '' : ` in goroutine ${by.goroutine}`}`
  return paint.dim(placed(`      ${text}`, shortPlace(by.file, by.line), Math.min(look.width, widest)))
}

function frameLines(number: number, frame: Frame, width: number, paint: Palette, own: boolean): string[] {
  const lead = `${String(number).padStart(4)}  `
  const place = shortPlace(frame.file, frame.line)
  const args = frame.inlined || frame.args === '' ? '' : frame.args
  const room = width - columns(lead) - columns(place) - 4 - columns(frame.function)
  const name = own ? paint.bold(frame.function) : paint.dim(frame.function)
  const shownArgs = args === '' ? '()' : `(${cutArgs(args, Math.max(3, room))})`
  const plain = `${lead}${frame.function}${frame.inlined ? '(…)' : shownArgs}`
  const painted = `${lead}${name}${paint.dim(frame.inlined ? '(…)' : shownArgs)}`
  if (columns(plain) + 2 + columns(place) > width)
    return [painted, `${' '.repeat(columns(lead) + 2)}${paint.name(place)}`]
  return [`${painted}${' '.repeat(width - columns(plain) - columns(place))}${paint.name(place)}`]
}

/** Whole argument words as far as they fit, then `…`. */
function cutArgs(args: string, room: number): string {
  if (columns(args) <= room) return args
  const comma = args.lastIndexOf(', ', room - 3)
  // Inside braces a cut would leave them open.
  const open = args.slice(0, comma).split('{').length - args.slice(0, comma).split('}').length
  if (comma <= 0) return '…'
  if (open > 0) {
    const brace = args.indexOf('{')
    return brace <= 0 ? '…' : `${args.slice(0, brace)}…`
  }
  return `${args.slice(0, comma)}, …`
}

function* sourceBlock(lines: readonly SourceLine[], width: number, paint: Palette): Generator<string> {
  const digits = String(lines.at(-1)!.number).length
  const indent = Math.min(
    ...lines.filter(l => l.text.trim() !== '').map(l => l.text.length - l.text.trimStart().length),
  )
  for (const { number, text, here } of lines) {
    const mark = here ? '→' : ' '
    const shown = printable(text.slice(Number.isFinite(indent) ? indent : 0))
    const body = cut(shown, width - 14 - digits)
    const line = `        ${mark} ${String(number).padStart(digits)}  ${body}`.trimEnd()
    yield here ? paint.warn(line) : paint.dim(line)
  }
}

/** `cache/cache.go:41`: the last two parts of the path, enough to know the file by. */
export function shortPlace(file: string, line: number): string {
  if (file === '' || file === '?') return '?'
  // C code is named by its file alone.
  if (line === 0) return file.split('/').at(-1)!
  return `${file.split('/').slice(-2).join('/')}:${line}`
}

function placed(text: string, place: string, width: number): string {
  if (columns(text) + 2 + columns(place) > width) return `${text} ${place}`
  return padEnd(text, width - columns(place)) + place
}

function middleOut<T>(
  list: readonly T[],
  most: number,
): { top: readonly T[]; left: number; bottom: readonly T[] } {
  if (list.length <= most) return { top: list, left: 0, bottom: [] }
  const head = Math.ceil((most * 3) / 4)
  const tail = most - head
  return { top: list.slice(0, head), left: list.length - most, bottom: list.slice(list.length - tail) }
}
