/** `list`: source around a place, as dlv shows it. */
import { NotFoundError } from '../../base/errors.ts'
import { printable } from '../render/escape.ts'
import { palette } from '../render/style.ts'
import type { SourceFinder } from '../source-lines.ts'
import type { InspectContext } from './context.ts'
import { parseLocation } from './location.ts'

export interface ListedPlace {
  readonly file: string
  readonly line: number
  readonly function: string
  readonly pc?: number
  /** The frame that is looked at is at this line. */
  readonly here: boolean
}

const around = { before: 5, after: 5 }
/** Hints and warnings that were given once and need not be given again. */
const toldBy = new WeakMap<SourceFinder, Set<string>>()

function isNews(sources: SourceFinder, sentence: string): boolean {
  const told = toldBy.get(sources) ?? new Set<string>()
  toldBy.set(sources, told)
  return told.size < told.add(sentence).size
}

/** Nothing: the frame's line. `40`, `+5`, `-5`: in its file. Else a location. Throws NotFoundError. */
export function listedPlace(context: InspectContext, text: string): ListedPlace {
  const { code, frame } = context
  const number = /^([+-]?)(\d{1,9})$/.exec(text.trim())
  if (text.trim() === '' || number) {
    if (!frame || frame.line === 0) throw new NotFoundError('No source line is known of this frame.')
    const place = { file: frame.file, line: frame.line, function: frame.function, pc: frame.pc, here: true }
    if (!number) return place
    const line = number[1] === '' ? Number(number[2]) : frame.line + Number(number[0])
    return { file: frame.file, line: Math.max(1, line), function: '', here: line === frame.line }
  }
  const written = /^(.+):(\d{1,9})$/.exec(text.trim())
  const pc = orUndefined(() => parseLocation(text.trim(), context), written !== null)
  const at = pc === undefined ? undefined : code.lineAt(pc)
  if (pc !== undefined && at) return { ...at, function: code.functionsAt(pc)[0] ?? '', pc, here: false }
  // A line without code: comments, declarations.
  const file = written && code.sourceFile(written[1]!)
  if (file) return { file, line: Number(written[2]), function: '', here: false }
  throw new NotFoundError(`No source line is known of ${text.trim()}.`)
}

function orUndefined<T>(find: () => T, swallow: boolean): T | undefined {
  try {
    return find()
  } catch (error) {
    if (swallow && error instanceof NotFoundError) return undefined
    throw error
  }
}

/** The lines, after one that says where they are; without source that one alone, and a hint. */
export function* listLines(context: InspectContext, text: string, lines = around): Generator<string> {
  const place = listedPlace(context, text)
  const { bold, dim, warn } = palette(context.look)
  const pc = place.pc === undefined ? '' : ` (PC: 0x${place.pc.toString(16)})`
  yield printable(`Showing ${place.file}:${place.line}${pc}`)
  const found = context.sources.lines(place, lines)
  if (!found) yield* missingSource(context)
  for (const line of found ?? []) {
    const mark = line.here && place.here ? '=>' : '  '
    const shown = `${mark}${String(line.number).padStart(4)}:\t${printable(line.text)}`
    yield line.here && place.here ? bold(shown) : shown
  }
  for (const sentence of context.sources.warnings) {
    if (isNews(context.sources, sentence)) yield warn(printable(sentence))
  }
  if (found?.length === 0) yield dim('(the file ends before)')
}

/** Once in a run: who knows where the source is says so, who does not has seen it. */
function* missingSource({ look, sources }: InspectContext): Generator<string> {
  const hint =
    'The source is not on this machine, or is of another version; --source-map FROM=TO or --checkout DIR tells where it is.'
  if (isNews(sources, hint)) yield palette(look).dim(hint)
}
