/** `info line`: which instructions a line of source became, in GDB's words. */
import { NotFoundError, UsageError } from '../../../base/errors.ts'
import { type InspectContext, parseAddress } from '../../inspect/context.ts'
import { parseLocation } from '../../inspect/location.ts'
import { type Answer, say } from '../command.ts'
import { clean } from '../state.ts'

/** Of `file:N`, `N`, a function or `*ADDRESS`; of the frame's line where nothing is said. Throws NotFoundError. */
export function lineAnswer(context: InspectContext, text: string): Answer {
  const { code, frame } = context
  const [, named, number] = /^(?:(.+):)?(\d{1,9})$/.exec(text) ?? []
  const wanted = text === '' ? frame?.line : number === undefined ? undefined : Number(number)
  if (wanted === undefined) {
    const addr = text.startsWith('*') ? parseAddress(text.slice(1), context) : parseLocation(text, context)
    const found = code.lineRangeAt(addr)
    if (!found) return say(`No line number information available for address ${place(addr, context)}`)
    return answer(found.file, found.line, found, context)
  }
  const file = named ?? frame?.file
  if (!file) throw new UsageError('info line takes file:line, a function or *ADDRESS: no frame tells a file.')
  const found = code.lineRangeOf(file, wanted)
  if (found) return answer(found.file, wanted, found, context)
  if (!code.sourceFile(file)) throw new NotFoundError(`No source file named ${clean(file)}.`)
  return say(clean(`Line number ${wanted} is out of range for "${file}".`))
}

type Range = NonNullable<ReturnType<InspectContext['code']['lineRangeAt']>>

/** `line`: what was asked for; the range is another's where that has no code. */
function answer(file: string, line: number, range: Range, context: InspectContext): Answer {
  const [start, end] = [range.low, range.high].map(addr => place(addr, context))
  const says =
    range.line === line
      ? `starts at address ${start} and ends at ${end}.`
      : `is at address ${start} but contains no code.`
  return {
    lines: () => [clean(`Line ${line} of "${file}" ${says}`)],
    schema: 'gocore-line',
    data: () => ({
      file,
      line,
      start: `0x${range.low.toString(16)}`,
      ...(range.line === line ? { end: `0x${range.high.toString(16)}` } : {}),
    }),
  }
}

/** `0x47a744 <main.main+36>`. */
function place(addr: number, { code }: InspectContext): string {
  const symbol = code.symbolAt(addr)
  if (!symbol) return `0x${addr.toString(16)}`
  const offset = addr - symbol.start
  return `0x${addr.toString(16)} <${symbol.name}${offset === 0 ? '' : `+${offset}`}>`
}
