/** Opens what the inspecting verbs work on: a session, and the frame that the options name. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import { Code, type Process, type StackFrame, type Subject, stackOf } from '../../engine/index.ts'
import type { Option } from '../define.ts'
import { wholeNumber } from '../define.ts'
import { loadDisassembler } from '../disassembler.ts'
import { printable } from '../render/escape.ts'
import { writeLines } from '../render/output.ts'
import { lookOf } from '../render/style.ts'
import type { Session } from '../session.ts'
import { parseSourceMap, type SourceMapping } from '../source/candidates.ts'
import { openCheckout } from '../source/checkout.ts'
import { sourceOrigin } from '../source/origin.ts'
import { type SourceFinder, sourceFinder } from '../source-lines.ts'
import { openSymbols, type SymbolArgs, symbolsOption } from '../symbols/index.ts'
import type { InspectContext } from './context.ts'

export interface PlaceArgs extends SymbolArgs {
  goroutine?: number
  thread?: number
  frame?: string
}

/** Where source is looked for. */
export interface SourceArgs {
  source?: readonly string[]
  sourceMap?: readonly SourceMapping[]
  checkout?: string
}

export const sourceOptions: Readonly<Record<string, Option>> = {
  'source-map': {
    type: 'string',
    value: 'FROM=TO',
    several: true,
    describe: 'look for source files whose path begins with FROM at TO',
    parse: parseSourceMap,
  },
  source: {
    type: 'string',
    value: 'DIR',
    several: true,
    describe: 'look for source files below this directory too',
    complete: 'directory',
  },
  checkout: {
    type: 'string',
    value: 'DIR',
    describe: 'read source from this git checkout, at the commit that the program was built from',
    complete: 'directory',
  },
}

/** `diedAt` in milliseconds since the epoch. Throws UsageError where the checkout is of no use. */
export function openSources(dead: Process, args: SourceArgs, diedAt?: number): SourceFinder {
  const origin = sourceOrigin(dead, diedAt)
  return sourceFinder({
    origin,
    mappings: args.sourceMap ?? [],
    dirs: args.source ?? [],
    ...(args.checkout === undefined ? {} : { checkout: openCheckout(args.checkout, origin) }),
  })
}

export const placeOptions: Readonly<Record<string, Option>> = {
  ...symbolsOption,
  goroutine: {
    type: 'string',
    alias: 'g',
    value: 'N',
    describe: 'look from this goroutine, not from the one that crashed',
    parse: wholeNumber,
  },
  thread: {
    type: 'string',
    value: 'TID',
    describe: "look from this kernel thread, its signal handler's frames included",
    parse: wholeNumber,
  },
  frame: {
    type: 'string',
    alias: 'f',
    value: 'N|FUNCTION',
    describe: 'look from this frame; without it, from the innermost one that is not of the runtime',
  },
}

export async function openInspect(session: Session, args: PlaceArgs & SourceArgs): Promise<InspectContext> {
  const { process: dead, diedAt } = session
  const symbols = await openSymbols(session, args)
  for (const warning of symbols.warnings) writeLines(2, [printable(warning)])
  const chosen = chooseFrame(dead, args)
  return {
    process: dead,
    code: new Code(dead.image, dead.runtime),
    disassembler: await loadDisassembler(),
    sources: openSources(dead, args, diedAt),
    look: lookOf(process.stdout),
    frame: chosen?.frame,
    thread: chosen?.thread,
  }
}

function chooseFrame(dead: Process, args: PlaceArgs): { frame: StackFrame; thread?: number } | undefined {
  const subject = subjectOf(dead, args)
  const stack = subject && stackOf(dead, subject)
  if (!subject || !stack) {
    if (args.goroutine !== undefined) throw new NotFoundError(`There is no goroutine ${args.goroutine}.`)
    if (args.thread !== undefined) throw new NotFoundError(`There is no thread ${args.thread}.`)
    return undefined
  }
  const frame = frameOf(stack.frames, dead, args.frame)
  const thread = threadOf(dead, subject)
  return frame && { frame, ...(thread === undefined ? {} : { thread }) }
}

/** The kernel thread that the innermost frames belong to; undefined for a goroutine that is on none. */
function threadOf({ runtime }: Process, subject: Subject): number | undefined {
  if (subject.kind === 'thread') return subject.tid
  for (const g of runtime?.goroutines() ?? [])
    if (g.id === subject.id) return runtime!.threadOf(g)?.thread.tid
  return undefined
}

function subjectOf(dead: Process, { goroutine, thread }: PlaceArgs): Subject | undefined {
  if (goroutine !== undefined && thread !== undefined)
    throw new UsageError('One looks from a goroutine or from a thread, not from both.')
  if (thread !== undefined) return { kind: 'thread', tid: thread }
  const id = goroutine ?? dead.guilty()?.id
  if (id !== undefined) return { kind: 'goroutine', id }
  const crashed = dead.image.core.threads.find(candidate => candidate.crashed)
  return crashed && { kind: 'thread', tid: crashed.tid }
}

function frameOf(
  frames: readonly StackFrame[],
  dead: Process,
  text: string | undefined,
): StackFrame | undefined {
  if (text === undefined) {
    const fault = dead.fault()
    return (
      frames.find(({ pc }) => pc === fault?.pc) ??
      frames.find(({ function: name }) => !/^(?:runtime\.|runtime\/|internal\/runtime)/.test(name)) ??
      frames[0]
    )
  }
  const found = /^\d{1,9}$/.test(text)
    ? frames[Number(text)]
    : frames.find(({ function: name }) => name === text || name.endsWith(`.${text}`))
  if (!found)
    throw new NotFoundError(`The stack has ${frames.length} frames, and none is ${JSON.stringify(text)}.`)
  return found
}
