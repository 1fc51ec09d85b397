/** Which goroutines `goroutines` prints. */
import { UsageError } from '../base/errors.ts'
import { parseDuration } from '../config/index.ts'
import type { Goroutine } from '../engine/report/report.ts'

export interface GoroutineFilter {
  state?: string
  with?: string[]
  without?: string[]
  label?: string[]
  longer?: string
}

/** The filter of a command line as one question. All that is given must hold. */
export function goroutineFilter(args: GoroutineFilter): (goroutine: Goroutine) => boolean {
  const tests: ((goroutine: Goroutine) => boolean)[] = []
  const { state, label } = args
  if (state !== undefined) tests.push(g => g.state.includes(state) || g.status === state)
  for (const text of args.with ?? []) tests.push(g => mentions(g, text))
  for (const text of args.without ?? []) tests.push(g => !mentions(g, text))
  for (const wanted of label ?? []) tests.push(g => hasLabel(g, wanted))
  if (args.longer !== undefined) {
    const ns = longer(args.longer) * 1e9
    tests.push(g => (g.waitNs ?? 0) >= ns)
  }
  return goroutine => tests.every(test => test(goroutine))
}

function longer(text: string): number {
  try {
    return parseDuration(text) ?? 0
  } catch {
    throw new UsageError(`--longer takes a time such as 30s, 5m or 1h, not ${JSON.stringify(text)}.`)
  }
}

interface Code {
  readonly function: string
  readonly file: string
  readonly line: number
}

/** Whether a frame of a goroutine, or the function that created it, holds a text. */
export const mentions = (
  { frames, createdBy }: { frames: readonly Code[]; createdBy?: { function: string } | undefined },
  text: string,
): boolean =>
  frames.some(frame => frame.function.includes(text) || `${frame.file}:${frame.line}`.includes(text)) ||
  createdBy?.function.includes(text) === true

function hasLabel({ labels }: Goroutine, wanted: string): boolean {
  if (!labels) return false
  const equals = wanted.indexOf('=')
  if (equals < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, equals)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1)
}
