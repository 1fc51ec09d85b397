/**
 * Goroutines in the runtime's own traceback format, as a crashing Go program prints them (runtime/traceback.go,
 * `traceback2` and `goroutineheader`), so that what reads such text - people, editors, panicparse - reads ours. It
 * makes its own lines safe to print: a copy of a hundred thousand goroutines takes longer than to print them.
 */
import type { CreatedBy, Frame, Goroutine, Thread } from '../../engine/report/report.ts'
import { printable } from './escape.ts'

export interface TracebackOptions {
  /** The frames that the runtime shows only from GOTRACEBACK=system on. */
  system?: boolean
  /** Add ` sp=0x… pc=0x…` to each frame. */
  addresses?: boolean
}

/** One goroutine: header, frames, creator. */
export function* traceback(goroutine: Goroutine, options: TracebackOptions = {}): Generator<string> {
  yield printable(`goroutine ${goroutine.id} [${goroutine.state}]:`)
  const { framesOmitted, framesOmittedAfter = goroutine.frames.length } = goroutine
  yield* frames(goroutine.frames.slice(0, framesOmittedAfter), options)
  if (framesOmitted) yield `...${framesOmitted} frames elided...`
  yield* frames(goroutine.frames.slice(framesOmittedAfter), options)
  if (goroutine.createdBy) yield* creator(goroutine.createdBy, options)
}

/** The stack that a thread's registers were on: its g0, its signal stack, or C. */
export function* threadTraceback(thread: Thread, options: TracebackOptions = {}): Generator<string> {
  const stacks = {
    goroutine: 'on the stack of its goroutine',
    g0: 'on its g0 stack',
    gsignal: 'on its signal stack',
    c: 'in C code',
    unknown: 'on an unknown stack',
  }
  const runs = thread.goroutine === undefined ? '' : `, running goroutine ${thread.goroutine}`
  yield `thread ${thread.tid} [${stacks[thread.stack]}${runs}${thread.crashed ? ', crashed here' : ''}]:`
  yield* frames(thread.frames, { ...options, system: true })
}

function* frames(list: readonly Frame[], options: TracebackOptions): Generator<string> {
  for (const frame of list) {
    if (frame.hidden && !options.system) continue
    yield printable(`${frame.function}(${frame.args})`)
    const offset = frame.offset === undefined ? '' : ` +0x${frame.offset.toString(16)}`
    // C code is named by its file alone.
    const place = frame.line === 0 ? frame.file || '?' : `${frame.file || '?'}:${frame.line}`
    yield `\t${printable(place)}${offset}${addresses(frame, options)}`
  }
}

function* creator(by: CreatedBy, options: TracebackOptions): Generator<string> {
  yield printable(
    `created by ${by.function}${by.goroutine === undefined ? '' : ` in goroutine ${by.goroutine}`}`,
  )
  const offset = by.offset === 0 ? '' : ` +0x${by.offset.toString(16)}`
  yield `\t${printable(`${by.file}:${by.line}`)}${offset}${options.addresses ? ` pc=${by.pc}` : ''}`
}

function addresses(frame: Frame, options: TracebackOptions): string {
  if (!options.addresses) return ''
  return `${frame.sp === undefined ? '' : ` sp=${frame.sp}`} pc=${frame.pc}`
}
