/**
 * A dead process to ask questions of: stacks, variables, expressions, names. Everything is found when it is asked for
 * and kept; nothing is written.
 */
import { NotFoundError, UsageError } from '../base/errors.ts'
import type { LoadedFile } from './core/process-image.ts'
import type { DebugInfo } from './dwarf/debug-info.ts'
import { openDebugInfo } from './dwarf/open-debug-info.ts'
import { type EvaluationContext, evaluate, typeOfExpression } from './expr/evaluate.ts'
import type { Process } from './report/process.ts'
import { formatArguments } from './runtime/arguments.ts'
import type { Goroutine } from './runtime/goroutine.ts'
import { type Deferred, deferredOf } from './scope/deferred.ts'
import type { Frame, Stack, Subject } from './scope/frame.ts'
import { frameNames, type View } from './scope/frame-names.ts'
import { FrameVariables } from './scope/frame-variables.ts'
import { findGlobal } from './scope/globals.ts'
import { GoroutineView } from './scope/goroutine-view.ts'
import { Program } from './scope/program.ts'
import { goroutineFrames, threadFrames } from './scope/stacks.ts'
import type { Type } from './type/type.ts'
import type { Variable } from './type/variable.ts'
import { chanState } from './value/chan.ts'
import { loadValue } from './value/load.ts'
import type { Value, ValueLimits } from './value/value.ts'

export interface DebuggerOptions {
  /** Debug information of a file of the process; without it, what the file itself has. */
  readonly debugInfoFor?: (file: LoadedFile) => DebugInfo | undefined
}

const maxWaiters = 1 << 17
const runtimeName = /^(?:runtime\.|runtime\/|internal\/runtime)/

/** Where one looks from: a stack, and a frame of it; either may be missing, globals are there all the same. */
export interface Place {
  readonly stack: Stack | undefined
  readonly frame: Frame | undefined
}

export function openDebugger(process: Process, options: DebuggerOptions = {}): Debugger {
  return new Debugger(process, options)
}

export class Debugger {
  readonly process: Process
  readonly program: Program
  readonly #stacks = new Map<string, Stack>()
  readonly #variables = new Map<Frame, FrameVariables>()
  readonly #deferred = new Map<Goroutine, readonly Deferred[]>()
  #byId: ReadonlyMap<number, Goroutine> | undefined

  constructor(process: Process, options: DebuggerOptions) {
    this.process = process
    const types = process.runtime?.modules[0]?.types
    const own = ({ elf, role }: LoadedFile): DebugInfo | undefined =>
      openDebugInfo(elf, role === 'executable' && types !== undefined ? { types } : {})
    const { image, runtime, stacks } = process
    this.program = new Program({ image, runtime, stacks, types: process.types }, options.debugInfoFor ?? own)
  }

  /**
   * The goroutine that died, or the thread that did; where that one was in nothing but the runtime, as at a deadlock, the
   * main goroutine. Undefined where the core has none of them.
   */
  start(): Subject | undefined {
    const guilty = this.process.guilty()
    if (guilty) return { kind: 'goroutine', id: guilty.id }
    const crashed = this.process.image.core.threads.find(thread => thread.crashed)
    const thread: Subject | undefined = crashed && { kind: 'thread', tid: crashed.tid }
    const isOwn = ({ function: name, language }: Frame): boolean =>
      language === 'c' || !runtimeName.test(name)
    if (thread && this.stack(thread).frames.some(isOwn)) return thread
    return this.goroutine(1) ? { kind: 'goroutine', id: 1 } : thread
  }

  /** Throws NotFoundError where there is no such goroutine or thread. */
  stack(subject: Subject): Stack {
    const key = subject.kind === 'goroutine' ? `g${subject.id}` : `t${subject.tid}`
    const known = this.#stacks.get(key)
    if (known) return known
    const { image, runtime, stacks } = this.process
    const debugFunctionAt = (pc: number): ReturnType<Program['debugFunctionAt']> =>
      this.program.debugFunctionAt(pc)
    const context = { image, runtime, cStacks: stacks, debugFunctionAt }
    const g = subject.kind === 'goroutine' ? this.goroutine(subject.id) : undefined
    const walked =
      subject.kind === 'thread'
        ? threadFrames(context, subject.tid)
        : g && runtime && goroutineFrames(context, runtime, g)
    if (!walked)
      throw new NotFoundError(
        subject.kind === 'thread'
          ? `There is no thread ${subject.tid}.`
          : `There is no goroutine ${subject.id}.`,
      )
    const stack = { subject, ...walked }
    this.#stacks.set(key, stack)
    return stack
  }

  goroutine(id: number): Goroutine | undefined {
    this.#byId ??= new Map([...(this.process.runtime?.goroutines() ?? [])].map(g => [g.id, g]))
    return this.#byId.get(id)
  }

  /** All that are not dead, in the runtime's order. */
  *goroutines(): Generator<GoroutineView> {
    const { runtime } = this.process
    for (const g of runtime?.goroutines() ?? []) yield new GoroutineView(runtime!, g)
  }

  /** Numbers of the goroutines that wait to send on a channel or to receive from it. Throws UsageError for what is none. */
  waitersOn(channel: Variable): ReadonlySet<number> {
    if (channel.type.kind !== 'chan')
      throw new UsageError(`${channel.name || 'it'} (type ${channel.type.name}) is not a channel`)
    const state = chanState(this.program.values, channel, maxWaiters)
    const all = [...(state?.receivers ?? []), ...(state?.senders ?? [])]
    return new Set(all.flatMap(({ goroutine }) => (goroutine === undefined ? [] : [goroutine])))
  }

  /** Calls that a goroutine has deferred and not yet made, newest first. */
  deferred(id: number): readonly Deferred[] {
    const g = this.goroutine(id)
    const { runtime } = this.process
    let known = g && this.#deferred.get(g)
    if (g && runtime && !known) {
      known = deferredOf(runtime, g, this.stack({ kind: 'goroutine', id }).frames)
      this.#deferred.set(g, known)
    }
    return known ?? []
  }

  /** Kernel thread id of who runs a goroutine, or of the thread itself. */
  threadOf(subject: Subject): number | undefined {
    if (subject.kind === 'thread') return subject.tid
    const g = this.goroutine(subject.id)
    return g && this.process.runtime?.threadOf(g)?.thread.tid
  }

  /**
   * The frame that one wants to see first: where the hardware refused an instruction, else the innermost one that is not
   * of the runtime, else the innermost.
   */
  interesting({ frames }: Stack): Frame | undefined {
    const fault = this.process.fault()
    return (
      frames.find(({ pc }) => pc === fault?.pc) ??
      frames.find(({ function: name }) => !runtimeName.test(name)) ??
      frames[0]
    )
  }

  variables(frame: Frame): FrameVariables {
    let known = this.#variables.get(frame)
    if (!known) {
      known = new FrameVariables(this.program, frame)
      this.#variables.set(frame, known)
    }
    return known
  }

  /** The words of a Go function's arguments as the runtime prints them: all that is known without debug information. */
  argumentWords({ func, cfa, lookupPc, inlined, language }: Frame): string | undefined {
    const { image } = this.process
    if (!func || cfa === 0 || inlined || language !== 'go') return undefined
    return formatArguments(image.memory, func, cfa + image.arch.minFrameSize, lookupPc)
  }

  /** Throws ExpressionError. */
  evaluate(text: string, place: Place): Variable {
    return evaluate(text, this.#context(place))
  }

  /** The type of an expression, or the one that it names. Throws ExpressionError. */
  typeOf(text: string, place: Place): Type {
    return typeOfExpression(text, this.#context(place))
  }

  global(name: string): Variable | undefined {
    return findGlobal(this.program, name)
  }

  load(variable: Variable, limits?: ValueLimits): Value {
    return loadValue(this.program.values, variable, limits)
  }

  #context({ stack, frame }: Place): EvaluationContext {
    const subject = stack?.subject
    const tid = subject && this.threadOf(subject)
    const g = subject?.kind === 'goroutine' ? this.goroutine(subject.id)?.addr : this.#gOfThread(tid)
    const view: View = {
      program: this.program,
      stack,
      frame,
      ...(g === undefined ? {} : { g }),
      ...(tid === undefined ? {} : { tid }),
    }
    return { values: this.program.values, names: frameNames(view) }
  }

  #gOfThread(tid: number | undefined): number | undefined {
    const thread = this.process.runtime?.threads.find(({ thread }) => thread.tid === tid)
    return thread?.machine?.curg || undefined
  }
}
