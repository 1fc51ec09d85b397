/** Source around a frame's line, as Delve shows it. */
import type { StackFrame } from '../../engine/index.ts'
import { palette } from '../render/style.ts'
import { clean, type DebugState } from './state.ts'

/** Nothing where the source is not found. */
export function sourceLines(
  state: DebugState,
  frame: Pick<StackFrame, 'file' | 'line' | 'function'>,
): string[] {
  const around = state.settings.sourceListLineCount
  const lines = state.sources.lines(frame, { before: around, after: around })
  if (!lines) return []
  const { dim, bold } = palette(state.look)
  return lines.map(({ number, text, here }) => {
    const row = `${here ? '=>' : '  '}${String(number).padStart(4)}:\t${clean(text)}`
    return here ? bold(row) : `${dim(row.slice(0, 7))}${row.slice(7)}`
  })
}
