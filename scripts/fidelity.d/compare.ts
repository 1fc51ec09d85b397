/**
 * Compares what the engine says of a core with what the dying program itself printed, goroutine by goroutine and frame
 * by frame. A goroutine is whole when everything the text says of it is in the report, word for word.
 *
 * Minutes of waiting are counted to the moment of death, which a core does not hold: the report is given the clock, as
 * the handler records it. What the text does not say, and is therefore not compared:
 * - frames of a goroutine whose stack was "unavailable", because it ran on another thread that was never asked
 *   (a panic does not pass SIGQUIT on): its id and creator are compared, its frames are not;
 * - frames that the text elides in the middle of a stack: the frames before and after are compared, and the number
 *   of frames in between where the text tells it;
 * - goroutines that were printed as runnable and then picked up by a thread: a panic stops the others as well as it can
 *   (runtime.freezetheworld), but a thread that had just looked for work may still run what it found. The other way
 *   round, a goroutine that ran on another thread (its stack "unavailable") is stopped only when SIGQUIT reaches that
 *   thread, and may have been preempted before. They are counted as moved, and shown.
 */
import type { Frame, Goroutine, Report } from '../../src/engine/report/report.ts'
import type { OracleFrame, OracleGoroutine, Traceback } from '../../test/support/traceback.ts'
import { compareDeath } from './compare-death.ts'
import { compareThread } from './compare-threads.ts'

export interface Comparison {
  goroutines: number
  whole: number
  frames: number
  equalFrames: number
  /** Stacks of threads that the text shows, and those that the report has. */
  threads: number
  equalThreads: number
  /** Goroutines that went on after they were printed; not counted as goroutines. */
  moved: number
  /** One entry for each goroutine that is not whole, and one if the message differs. */
  misses: Miss[]
}

export interface Miss {
  goroutine?: number
  /** What differs, most telling first, `-` the program's own text and `+` ours. */
  lines: string[]
}

export function compare(traceback: Traceback, report: Report): Comparison {
  const result: Comparison = {
    goroutines: 0,
    whole: 0,
    frames: 0,
    equalFrames: 0,
    threads: 0,
    equalThreads: 0,
    moved: 0,
    misses: [],
  }
  const ours = new Map(report.goroutines.map(g => [g.id, g]))
  for (const theirs of traceback.goroutines.values()) {
    const mine = ours.get(theirs.id)
    ours.delete(theirs.id)
    if (movedOn(theirs, mine)) {
      result.moved++
      continue
    }
    result.goroutines++
    const lines = mine
      ? compareGoroutine(theirs, mine, result)
      : [`- goroutine ${theirs.id} [${theirs.state}]`]
    if (mine === undefined) result.frames += theirs.frames.length
    if (lines.length === 0) result.whole++
    else result.misses.push({ goroutine: theirs.id, lines })
  }
  for (const extra of ours.values()) {
    result.goroutines++
    result.misses.push({ goroutine: extra.id, lines: [`+ goroutine ${extra.id} [${extra.state}]`] })
  }
  for (const theirs of traceback.threads.filter(({ frames }) => frames.length > 0)) {
    result.threads++
    const lines = compareThread(theirs, report.threads)
    if (lines.length === 0) result.equalThreads++
    else result.misses.push({ lines: [`thread, ${theirs.state || 'runtime stack'}`, ...lines] })
  }
  const death = compareDeath(traceback, report.death)
  if (death.length > 0) result.misses.push({ lines: death })
  return result
}

function movedOn(theirs: OracleGoroutine, mine: Goroutine | undefined): boolean {
  const still = theirs.unavailable ? 'running' : 'runnable'
  return mine !== undefined && theirs.state.startsWith(still) && !mine.state.startsWith(still)
}

function compareGoroutine(theirs: OracleGoroutine, mine: Goroutine, counts: Comparison): string[] {
  const lines: string[] = []
  differ(lines, `state of ${theirs.id}`, theirs.state, mine.state)
  if (theirs.labels !== undefined) differ(lines, 'labels', theirs.labels, labelText(mine.labels ?? {}))
  if (!theirs.unavailable) lines.push(...compareFrames(theirs, mine, counts))
  differ(lines, 'created by', creatorText(theirs.createdBy), creatorText(mine.createdBy))
  return lines
}

function compareFrames(theirs: OracleGoroutine, mine: Goroutine, counts: Comparison): string[] {
  const lines: string[] = []
  const { frames, elided } = theirs
  const gap = elided === undefined ? 0 : mine.frames.length - frames.length
  const left = gap + (mine.framesOmitted ?? 0)
  if (elided?.count !== undefined && elided.count !== left)
    lines.push(`- ${elided.count} more frames`, `+ ${left} more frames`)
  for (const [i, frame] of frames.entries()) {
    counts.frames++
    const other = mine.frames[elided !== undefined && i >= elided.after ? i + gap : i]
    const [a, b] = [frameText(frame, other), other && ourFrameText(other, frame)]
    if (a === b) counts.equalFrames++
    else lines.push(`- ${i} ${a}`, `+ ${i} ${b ?? 'no frame'}`)
  }
  const extra = elided === undefined ? mine.frames.slice(frames.length) : []
  for (const [i, frame] of extra.entries()) lines.push(`+ ${frames.length + i} ${ourFrameText(frame)}`)
  return lines
}

function frameText(frame: OracleFrame, other?: Frame): string {
  const place = `${frame.function}(${frame.args}) ${frame.file}:${frame.line}`
  if (frame.inlined) return `${place} inlined`
  const sp = other?.sp === undefined ? '' : ` sp=${frame.sp}`
  return `${place} +0x${frame.offset!.toString(16)} pc=${frame.pc}${sp}`
}

function ourFrameText(frame: Frame, theirs?: OracleFrame): string {
  const place = `${frame.function}(${frame.args}) ${frame.file}:${frame.line}`
  if (frame.inlined) return `${place} inlined`
  const sp = frame.sp === undefined || theirs?.sp === undefined ? '' : ` sp=${frame.sp}`
  return `${place} +0x${(frame.offset ?? 0).toString(16)} pc=${frame.pc}${sp}`
}

function creatorText(creator: OracleGoroutine['createdBy'] | Goroutine['createdBy']): string {
  if (creator === undefined) return 'nobody'
  const by = creator.goroutine ? ` in goroutine ${creator.goroutine}` : ''
  return `${creator.function}${by} ${creator.file}:${creator.line} +0x${creator.offset.toString(16)}`
}

/** As goroutineheader prints them since Go 1.27: quoted where a character asks for it, runtime/traceback.go. */
function labelText(labels: Record<string, string>): string {
  const word = (text: string): string => (/^[\w./]*$/.test(text) ? text : JSON.stringify(text))
  return Object.entries(labels)
    .map(([key, value]) => `${word(key)}: ${word(value)}`)
    .join(', ')
}

/** Adds the two lines of a difference, if there is one. */
export function differ(lines: string[], what: string, theirs: string, mine: string): void {
  if (theirs !== mine) lines.push(`- ${what}: ${theirs}`, `+ ${what}: ${mine}`)
}
