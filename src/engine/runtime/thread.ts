/**
 * A kernel thread with what the runtime says of it: its machine, and the stacks it was on. A thread that died in a
 * signal handler, or waits in one, is on its gsignal stack; the frame that the kernel pushed there holds the registers
 * of the code that was interrupted, which is what the runtime's own traceback begins with.
 */

import { readSiginfo, type Siginfo, siginfoSize } from '../core/siginfo.ts'
import type { CoreThread } from '../core/thread.ts'
import type { RuntimeLayout } from './layouts/layout.ts'
import type { Machine, StackBounds } from './machine.ts'
import type { Traceback, Tracebacker } from './traceback.ts'
import type { PhysicalFrame, StackPosition, UnwindContext, WalkEnd } from './unwinder.ts'
import { unwind } from './unwinder.ts'

export type StackKind = 'goroutine' | 'g0' | 'gsignal' | 'c' | 'unknown'

/** Code that ran on a thread, and the signal that interrupted it, if one did. */
export interface ThreadContext {
  readonly position: StackPosition
  readonly stack: StackKind
  /** What the handler above was told. */
  readonly siginfo?: Siginfo
  /** Address of the `ucontext_t` in which the kernel saved the registers. */
  readonly ucontext?: number
}

export interface GoThread {
  readonly thread: CoreThread
  readonly machine: Machine | undefined
  /** From the registers in the core to the code that the first signal interrupted; at least one. */
  readonly contexts: readonly ThreadContext[]
}

/** Signals nest a few levels at most: SIGABRT in the handler of SIGQUIT in the one of SIGPROF. */
const maxNesting = 8

export function readThreadContexts(
  context: UnwindContext,
  thread: CoreThread,
  kindOf: (sp: number, pc: number) => StackKind,
): ThreadContext[] {
  const { registers } = thread
  const { pc, sp, lr } = registers
  const contexts: ThreadContext[] = [
    { position: { pc, sp, lr, trap: true, isSyscall: false }, stack: kindOf(sp, pc) },
  ]
  while (contexts.length < maxNesting) {
    const next = interruptedBy(context, contexts.at(-1)!, kindOf)
    if (!next || contexts.some(({ position }) => position.sp === next.position.sp)) break
    contexts.push(next)
  }
  return contexts
}

/** The registers under the handler that `current` is in; undefined where it is in none. */
function interruptedBy(
  context: UnwindContext,
  current: ThreadContext,
  kindOf: (sp: number, pc: number) => StackKind,
): ThreadContext | undefined {
  if (current.stack === 'goroutine' || current.stack === 'c') return undefined
  let handler: PhysicalFrame | undefined
  const end: WalkEnd = unwind(context, current.position, frame => {
    if (frame.func.role === 'sigtramp') handler = frame
    return handler === undefined
  })
  if (!handler || end.kind === 'fault') return undefined
  const { memory, arch } = context
  // The handler's stack pointer as the kernel set it: below the caller's by the return address, where there is one.
  const entrySp = arch.lr === undefined ? handler.fp - arch.ptrSize : handler.fp
  const ucontext = entrySp + arch.sigframeUcontext
  const register = (name: string | undefined): number => {
    const offset = name === undefined ? undefined : arch.ucontext[name]
    return offset !== undefined && memory.has(ucontext + offset, arch.ptrSize)
      ? memory.word(ucontext + offset)
      : 0
  }
  const [pc, sp, lr] = [register(arch.pc), register(arch.sp), register(arch.lr)]
  if (sp === 0) return undefined
  const info = memory.tryRead(entrySp + arch.sigframeSiginfo, siginfoSize)
  const siginfo = info && readSiginfo(info, arch)
  return {
    position: { pc, sp, lr, trap: true, isSyscall: false },
    stack: kindOf(sp, pc),
    ucontext,
    ...(siginfo && siginfo.signo > 0 && siginfo.signo <= 64 ? { siginfo } : {}),
  }
}

/** Each kernel thread with its machine; `threadGs` are the g's that their thread-local storage names. */
export function matchThreads(
  context: UnwindContext,
  layout: RuntimeLayout,
  threads: readonly CoreThread[],
  machines: ReadonlyMap<number, Machine>,
  threadGs: readonly number[],
): GoThread[] {
  const { memory } = context
  const byProcid = new Map([...machines.values()].map(machine => [machine.procid, machine]))
  // A thread that was just cloned has its parent's registers, and so its parent's g: procid goes first.
  const claimed = new Set(threads.map(({ tid }) => byProcid.get(tid)))
  return threads.map((thread, i) => {
    const own = threadGs[i] ?? 0
    const ownM = own === 0 ? undefined : machines.get(memory.word(own + layout.at('g.m')))
    const machine = byProcid.get(thread.tid) ?? (claimed.has(ownM) ? undefined : ownM)
    const contexts = readThreadContexts(context, thread, (sp, pc) => stackKind(context, machine, sp, pc))
    return { thread, machine, contexts }
  })
}

function stackKind(context: UnwindContext, machine: Machine | undefined, sp: number, pc: number): StackKind {
  const on = (g: number): boolean => within(sp, boundsOf(context, g))
  const isGo = context.symtab.findFunc(pc) !== undefined
  if (machine) {
    if (on(machine.curg)) return 'goroutine'
    if (on(machine.gsignal)) return 'gsignal'
    if (on(machine.g0)) return isGo ? 'g0' : 'c'
  }
  return isGo ? 'unknown' : 'c'
}

function boundsOf({ memory }: UnwindContext, g: number): StackBounds {
  if (g === 0 || !memory.has(g, 2 * memory.ptrSize)) return { lo: 0, hi: 0 }
  return { lo: memory.word(g), hi: memory.word(g + memory.ptrSize) }
}

export function within(sp: number, { lo, hi }: StackBounds): boolean {
  // The stack pointer of an empty stack is at its end.
  return sp >= lo && sp <= hi && hi > 0
}

/** The frames of each stack that the thread was on, down to the goroutine's. */
export function threadStacks(
  tracebacker: Tracebacker,
  { contexts }: GoThread,
): { stack: StackKind; traceback: Traceback; siginfo?: Siginfo }[] {
  return contexts.map(({ position, stack, siginfo }) => ({
    stack,
    traceback: tracebacker.trace(position),
    ...(siginfo ? { siginfo } : {}),
  }))
}
