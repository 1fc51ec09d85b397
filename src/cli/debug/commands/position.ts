/** `frame`, `up`, `down`, `goroutine`, `thread` and `deferred`: where one looks from, for good or for one command. */
import { NotFoundError, SinkError, UsageError } from '../../../base/errors.ts'
import type { Deferred as DeferredCall, StackFrame, Subject } from '../../../engine/index.ts'
import { type Answer, count, type DebugCommand, say, splitFirst } from '../command.ts'
import { parseLine, runCommand } from '../run-command.ts'
import { sourceLines } from '../source.ts'
import { clean, type DebugState, type Position } from '../state.ts'
import { frameJson } from './stack.ts'

const thenCommand = 'With a command behind it, that command is run there and nothing else changes.'

export const frame: DebugCommand = {
  name: 'frame',
  schema: 'gocore-frame',
  aliases: ['f'],
  usage: 'frame N|FUNCTION [COMMAND]',
  describe: 'look from another frame of the stack',
  details: [thenCommand],
  complete: 'command',
  run(state, rest) {
    const [which, command] = splitFirst(rest)
    return at(state, which === '' ? state.frame : state.frameNamed(which), command)
  },
}

export const up: DebugCommand = {
  name: 'up',
  schema: 'gocore-frame',
  usage: 'up [N] [COMMAND]',
  describe: 'look from the frame that called this one',
  details: [thenCommand],
  repeats: true,
  run: (state, rest) => step(state, rest, 1),
}

export const down: DebugCommand = {
  name: 'down',
  schema: 'gocore-frame',
  usage: 'down [N] [COMMAND]',
  describe: 'look from the frame that this one called',
  details: [thenCommand],
  repeats: true,
  run: (state, rest) => step(state, rest, -1),
}

function step(state: DebugState, rest: string, direction: 1 | -1): Answer | Promise<Answer> {
  const [first, after] = splitFirst(rest)
  const counted = /^\d+$/.test(first)
  const wanted = state.frame.index + direction * (counted ? count(first, 'The number of frames') : 1)
  const found = state.position.stack?.frames[wanted]
  if (!found)
    throw new NotFoundError(wanted < 0 ? 'This is the innermost frame.' : 'This is the outermost frame.')
  return at(state, found, counted ? after : rest)
}

function at(state: DebugState, found: StackFrame, command: string): Answer | Promise<Answer> {
  const position = { ...state.position, frame: found }
  if (command !== '') return within(state, position, command)
  state.position = position
  state.listed = undefined
  return whereAnswer(state)
}

/** Runs a command from another position, and comes back. */
async function within(state: DebugState, position: Position, command: string): Promise<Answer> {
  const before = { position: state.position, listed: state.listed }
  state.position = position
  state.listed = undefined
  try {
    const answer = await runCommand(state, command)
    // Read here: the place must be the one that was asked for.
    const lines = state.guard(() => [...answer.lines()])
    const data = state.guard(() => answer.data?.())
    return { ...answer, lines: () => lines, ...(data ? { data: () => data } : {}) }
  } finally {
    state.position = before.position
    state.listed = before.listed
  }
}

/** `Goroutine 1 frame 9 at main.go:33 (PC: 0x49fac5)` and the source there. */
export function whereAnswer(state: DebugState): Answer {
  const { frame: found } = state.position
  if (!found) return say('(no stack)')
  return {
    lines: () => [whereLine(state, found), ...sourceLines(state, found)],
    data: () => ({ subject: state.position.subject, frame: frameJson(state, found) }),
  }
}

export function whereLine({ position }: DebugState, found: StackFrame): string {
  const { subject } = position
  const who = subject?.kind === 'thread' ? `Thread ${subject.tid}` : `Goroutine ${subject?.id}`
  const where = found.file === '' ? (found.module ?? '?') : `${found.file}:${found.line}`
  return `${who} frame ${found.index} at ${clean(where)} (PC: 0x${found.pc.toString(16)})`
}

export const goroutine: DebugCommand = {
  name: 'goroutine',
  schema: 'gocore-frame',
  aliases: ['gr'],
  usage: 'goroutine [N [COMMAND]]',
  describe: 'show the goroutine that is looked at, or look at another one',
  details: [thenCommand],
  complete: 'goroutine',
  run(state, rest) {
    const [number, command] = splitFirst(rest)
    if (number === '') return currentGoroutine(state)
    const id = count(number, 'A goroutine')
    return look(state, { kind: 'goroutine', id }, command)
  },
}

export const thread: DebugCommand = {
  name: 'thread',
  schema: 'gocore-frame',
  aliases: ['tr'],
  usage: 'thread N [COMMAND]  or  thread apply all|N... COMMAND',
  describe: "look at a kernel thread: its signal handler, the scheduler's stack, C",
  details: [thenCommand],
  complete: 'thread',
  run(state, rest) {
    const [number, command] = splitFirst(rest)
    if (number === 'apply') return applied(state, command)
    if (number === '') throw new UsageError('thread takes the number of a thread; threads lists them.')
    return look(state, { kind: 'thread', tid: count(number, 'A thread') }, command)
  },
}

/** GDB's `thread apply all bt`; one that fails says so, and the next has its turn. */
async function applied(state: DebugState, rest: string): Promise<Answer> {
  const [, which, command] = /^(all|(?:\d{1,9}\s+)*\d{1,9})\s+(?!\d+$)(\S.*)$/.exec(rest) ?? []
  if (which === undefined || command === undefined)
    throw new UsageError('thread apply takes all, or numbers of threads, and a command.')
  parseLine(state, command)
  const every = state.debugger.process.image.core.threads.map(({ tid }) => tid).sort((a, b) => a - b)
  const lines: string[] = []
  const data: Record<string, unknown>[] = []
  for (const tid of which === 'all' ? every : which.split(/\s+/).map(Number)) {
    if (lines.length > 0) lines.push('')
    lines.push(`Thread ${tid}:`)
    try {
      const answer = await within(state, state.placeOf({ kind: 'thread', tid }), command)
      lines.push(...answer.lines())
      data.push({ thread: tid, ...answer.data?.() })
    } catch (error) {
      if (!(error instanceof SinkError)) throw error
      lines.push(`(${clean(error.message)})`)
      data.push({ thread: tid, error: error.message })
    }
  }
  return { lines: () => lines, schema: 'gocore-answers', data: () => ({ command, answers: data }) }
}

function look(state: DebugState, subject: Subject, command: string): Answer | Promise<Answer> {
  const before = state.position.subject
  const position = state.placeOf(subject)
  if (command !== '') return within(state, position, command)
  state.position = position
  state.listed = undefined
  const name = (of: Subject | undefined): string =>
    of === undefined ? 'nothing' : of.kind === 'thread' ? `thread ${of.tid}` : String(of.id)
  const tid = state.thread
  const onThread = subject.kind === 'goroutine' && tid !== undefined ? ` (thread ${tid})` : ''
  const { frame: found } = position
  return {
    lines: () => [
      `Switched from ${name(before)} to ${name(subject)}${onThread}`,
      ...(found ? [whereLine(state, found)] : []),
    ],
    data: () => ({ subject, ...(found ? { frame: frameJson(state, found) } : {}) }),
  }
}

function currentGoroutine(state: DebugState): Answer {
  const { subject } = state.position
  if (subject?.kind !== 'goroutine') return whereAnswer(state)
  const view = [...state.debugger.goroutines()].find(({ id }) => id === subject.id)
  if (!view) throw new NotFoundError(`There is no goroutine ${subject.id}.`)
  const place = (
    name: string,
    of: { file: string; line: number; function: string; pc: number } | undefined,
  ): string[] =>
    of ? [`\t${name}: ${clean(`${of.file}:${of.line} ${of.function}`)} (0x${of.pc.toString(16)})`] : []
  return {
    lines: () => [
      `Goroutine ${view.id} [${clean(view.state)}]${view.thread === undefined ? '' : ` (thread ${view.thread})`}:`,
      ...place('Runtime', view.current),
      ...place('User', view.user),
      ...place('Go', view.created),
      ...place('Start', view.start),
      ...view.labels.map(([key, value]) => `\tLabel: ${clean(`${key}: ${value}`)}`),
    ],
    data: () => ({
      goroutine: { id: view.id, state: view.state, thread: view.thread, user: view.user?.function },
    }),
  }
}

export const deferred: DebugCommand = {
  name: 'deferred',
  usage: 'deferred N COMMAND',
  describe: 'run a command as seen from the function of a deferred call of the frame',
  details: [
    'bt -defer numbers them in each frame, the newest first. Before its call a function has what it captured.',
  ],
  complete: 'command',
  run(state, rest) {
    const [number, command] = splitFirst(rest)
    const n = count(number, 'A deferred call')
    if (command === '') throw new UsageError('deferred takes a number and a command.')
    const here = state.frame
    const call = deferredBy(state, here).find(({ number: own }) => own === n)
    if (!call)
      throw new NotFoundError(
        `Frame ${here.index} has no deferred call ${n}; bt -defer lists those that there are.`,
      )
    const { pc, function: name, file, line, closure } = call
    // Not yet entered: it has a place in the code, and no stack.
    const { func: _, ...place } = here
    const entered: StackFrame = {
      ...place,
      function: name,
      file,
      line,
      pc,
      lookupPc: pc,
      entry: pc,
      inlined: false,
      cfa: 0,
      registers: new Map(),
      closure,
    }
    return within(state, { ...state.position, frame: entered, deferred: n }, command)
  },
}

/** Those of one frame, or of the whole goroutine; empty for a thread. */
export function deferredBy({ debugger: engine, position }: DebugState, of?: StackFrame): DeferredCall[] {
  const subject = position.stack?.subject
  const calls = subject?.kind === 'goroutine' ? engine.deferred(subject.id) : []
  return calls.filter(({ frame: index }) => of === undefined || index === of.index)
}
