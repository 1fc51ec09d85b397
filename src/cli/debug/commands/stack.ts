/** `bt`: the frames of a stack as Delve lays them out, with their variables and deferred calls on request. */
import { UsageError } from '../../../base/errors.ts'
import type { CodeLocation, Deferred, StackFrame } from '../../../engine/index.ts'
import { hex, valueJson } from '../../render/value-json.ts'
import { count, type DebugCommand, wordsOf } from '../command.ts'
import { clean, type DebugState } from '../state.ts'
import { deferredBy } from './position.ts'
import { variableLines } from './variables.ts'

interface Options {
  readonly depth: number
  readonly full: boolean
  readonly defers: boolean
  readonly offsets: boolean
}

export const defaultDepth = 50

export const stack: DebugCommand = {
  name: 'stack',
  schema: 'gocore-frames',
  aliases: ['bt', 'backtrace', 'where'],
  usage: 'bt [DEPTH] [-full] [-defer] [-offsets]',
  describe: 'print the stack',
  details: [
    '-full     with the arguments and local variables of each frame',
    '-defer    with the deferred calls of each frame',
    '-offsets  with where the frame lies on the stack',
  ],
  run(state, rest) {
    const options = parse(rest)
    const all = state.position.stack?.frames ?? []
    const frames = all.slice(0, options.depth)
    return {
      lines: () =>
        stackLines(state, frames, options, all.length > frames.length || state.position.stack?.cut === true),
      data: () => ({ frames: frames.map(frame => frameJson(state, frame, options)) }),
    }
  },
}

function parse(rest: string): Options {
  let options: Options = { depth: defaultDepth, full: false, defers: false, offsets: false }
  for (const word of wordsOf(rest)) {
    if (word === '-full' || word === 'full') options = { ...options, full: true }
    else if (word === '-defer') options = { ...options, defers: true }
    else if (word === '-offsets') options = { ...options, offsets: true }
    else if (word.startsWith('-'))
      throw new UsageError(`bt does not know ${word}: it takes -full, -defer and -offsets.`)
    else options = { ...options, depth: count(word, 'The depth') }
  }
  return options
}

function* stackLines(
  state: DebugState,
  frames: readonly StackFrame[],
  options: Options,
  cut: boolean,
  indent = '',
): Generator<string> {
  const width = String(Math.max(0, frames.length - 1)).length
  const space = indent + ' '.repeat(width + 2)
  const apart = options.full || options.defers || options.offsets
  if (frames.length === 0) yield `${indent}(no stack)`
  for (const frame of frames) {
    yield* frameLines(frame, width, indent)
    if (options.offsets) yield `${space}frame: ${hex(frame.sp)} to ${hex(frame.cfa)}`
    if (options.defers) yield* deferLines(state, frame, space)
    if (options.full)
      for (const variable of state.debugger.variables(frame).all())
        yield* variableLines(state, variable, false).map(line => `${space}    ${line}`)
    if (apart) yield ''
  }
  if (cut) yield `${indent}(truncated)`
}

/** Two lines: number, address and function; file and line. */
export function frameLines(frame: StackFrame, width: number, indent = ''): string[] {
  const { index, pc, function: name, file, line, module } = frame
  const where = file === '' ? (module ?? '?') : `${file}:${line}`
  return [
    `${indent}${String(index).padStart(width)}  ${codePlace({ pc, function: name })}`,
    `${indent}${' '.repeat(width)}  at ${clean(where)}`,
  ]
}

function* deferLines(state: DebugState, frame: StackFrame, space: string): Generator<string> {
  for (const call of deferredBy(state, frame)) {
    const head = `${space}    defer ${call.number}: `
    const more = ' '.repeat(head.length)
    yield `${head}${codePlace(call)}`
    yield `${more}at ${clean(call.file)}:${call.line}`
    if (call.deferredAt) yield `${more}deferred by ${placeText(call.deferredAt)}`
  }
}

/** `0x000000000047a744 in main.second`, as Delve has it. */
export function codePlace({ pc, function: name }: Pick<CodeLocation, 'pc' | 'function'>): string {
  return `0x${pc.toString(16).padStart(16, '0')} in ${clean(name)}`
}

export function placeText({ function: name, file, line }: CodeLocation): string {
  return clean(`${name} at ${file}:${line}`)
}

export function frameJson(
  state: DebugState,
  frame: StackFrame,
  options?: Partial<Pick<Options, 'full' | 'defers'>>,
): Record<string, unknown> {
  const { index, function: name, file, line, pc, sp, cfa, inlined, language, module } = frame
  return {
    index,
    function: name,
    file,
    line,
    pc: hex(pc),
    sp: hex(sp),
    ...(cfa === 0 ? {} : { cfa: hex(cfa) }),
    inlined,
    language,
    ...(module === undefined ? {} : { module }),
    ...(options?.full
      ? {
          variables: state.debugger
            .variables(frame)
            .all()
            .map(variable => ({
              name: variable.name,
              flags: variable.flags,
              ...valueJson(state.load(variable)),
            })),
        }
      : {}),
    ...(options?.defers ? { deferred: deferredBy(state, frame).map(deferJson) } : {}),
  }
}

export function deferJson(call: Deferred): Record<string, unknown> {
  const { number, frame, function: name, file, line, pc, deferredAt } = call
  return {
    number,
    ...(frame === undefined ? {} : { frame }),
    function: name,
    file,
    line,
    pc: hex(pc),
    ...(deferredAt ? { deferredAt: { ...deferredAt, pc: hex(deferredAt.pc) } } : {}),
  }
}
