/**
 * The stack of a goroutine or a thread, whole: the signal handler that a thread died in, what it interrupted on the
 * scheduler's stack or in C, and the goroutine that it ran, in this order, as `dlv` and a reader of the crash want it.
 */
import type { ProcessImage } from '../core/process-image.ts'
import type { CoreThread } from '../core/thread.ts'
import { type CFrame, type CStacks, dwarfRegisters } from '../dwarf/c-stack.ts'
import type { DebugFunction } from '../dwarf/debug-info.ts'
import { inlinedFrames } from '../dwarf/inlined-frames.ts'
import { amd64DwarfNames, type DwarfRegisters } from '../dwarf/unwind.ts'
import type { Goroutine } from '../runtime/goroutine.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { savedPosition } from '../runtime/stack-start.ts'
import type { GoThread, ThreadContext } from '../runtime/thread.ts'
import { type PhysicalFrame, type StackPosition, symPC, unwind, type WalkEnd } from '../runtime/unwinder.ts'
import type { Frame, FrameRegisters, RegisterOrigin, RegisterValue } from './frame.ts'
import type { Unit } from './program.ts'
import { registersAt } from './thread-registers.ts'

/** Physical frames of one stack; who has more has a runaway recursion, and its two ends tell it. */
const maxFrames = 5000
/** Changes between Go and C on one stack. */
const maxSwitches = 64
const [rbp, rsp, rip] = ['rbp', 'rsp', 'rip'].map(name => amd64DwarfNames.indexOf(name as 'rip')) as [
  number,
  number,
  number,
]

/** Frames without their numbers: those are known when the whole stack is. */
type Unnumbered = Omit<Frame, 'index' | 'physical'>

export interface StackContext {
  readonly image: ProcessImage
  readonly runtime: Runtime | undefined
  readonly cStacks: CStacks
  /** A C function with what debug information says was inlined into it. */
  debugFunctionAt(pc: number): { readonly unit: Unit; readonly func: DebugFunction } | undefined
}

/** Where a walk begins, with what is known of the registers there. */
interface Start {
  readonly position: StackPosition
  readonly registers: FrameRegisters
}

export interface Walked {
  readonly frames: readonly Frame[]
  readonly cut: boolean
}

/** The stack of a goroutine, from where its thread really is, if it is on one. */
export function goroutineFrames(context: StackContext, runtime: Runtime, g: Goroutine): Walked {
  const walk = new StackWalk(context)
  const thread = runtime.threadOf(g)
  if (thread) walk.thread(thread)
  if (!walk.reachedGoroutine) walk.go(savedStart(context, runtime, g))
  return walk.result()
}

/** The stack of a thread, with that of the goroutine that it runs behind it. */
export function threadFrames(context: StackContext, tid: number): Walked | undefined {
  const { runtime, image } = context
  const thread = runtime?.threads.find(candidate => candidate.thread.tid === tid)
  const walk = new StackWalk(context)
  if (runtime && thread) {
    walk.thread(thread)
    const g = thread.machine?.curg
    if (g && !walk.reachedGoroutine) walk.go(savedStart(context, runtime, runtime.goroutineAt(g)))
    return walk.result()
  }
  const plain = image.core.threads.find(candidate => candidate.tid === tid)
  if (!plain) return undefined
  walk.on(plain)
  walk.c(
    dwarfRegisters(name => plain.registers.get(name)),
    'thread',
  )
  return walk.result()
}

function savedStart({ image }: StackContext, { layout }: Runtime, g: Goroutine): Start {
  const position = savedPosition(g)
  const registers = new Map<number, RegisterValue>()
  for (const [register, address] of [
    [rsp, position.sp],
    [rip, position.pc],
  ] as const)
    if (Number.isFinite(address)) registers.set(register, { value: BigInt(address), origin: 'saved' })
  const bp = g.addr + layout.at('g.sched') + layout.at('gobuf.bp')
  if (image.arch.savesFramePointer && !position.isSyscall && image.memory.has(bp, 8))
    registers.set(rbp, { value: image.memory.u64(bp), origin: 'saved' })
  return { position, registers }
}

class StackWalk {
  readonly #context: StackContext
  readonly #frames: Unnumbered[] = []
  #cut = false
  #threadPointer: number | undefined
  reachedGoroutine = false

  constructor(context: StackContext) {
    this.#context = context
  }

  /** The kernel's thread that what follows is on. */
  on({ registers }: Pick<CoreThread, 'registers'>): void {
    const base = registers.get(this.#context.image.arch.tls?.base ?? '')
    this.#threadPointer = base === undefined ? undefined : Number(base)
  }

  thread(thread: GoThread): void {
    const { image } = this.#context
    this.on(thread.thread)
    for (const context of thread.contexts) {
      const origin = context === thread.contexts[0] ? 'thread' : 'signal'
      this.#mixed(context, registersAt(image, thread, context), origin)
      if (context.stack === 'goroutine') this.reachedGoroutine = true
    }
  }

  go({ position, registers }: Start): WalkEnd {
    const { runtime, image } = this.#context
    if (!runtime) return { kind: 'top' }
    let known = registers
    return unwind({ ...runtime.context, memory: image.memory }, position, frame => {
      // The handler's way back is the kernel's own business, and dlv's numbers leave it out.
      if (frame.func.role === 'sigtramp' || frame.func.name.startsWith('runtime.sigreturn')) return true
      for (const logical of frame.func.inlinedAt(symPC(frame)))
        this.#frames.push({
          language: 'go',
          function: logical.name,
          file: logical.file,
          line: logical.line,
          pc: frame.pc,
          sp: frame.sp,
          cfa: frame.fp,
          lookupPc: symPC(frame),
          inlined: logical.inlined,
          entry: frame.func.entry,
          func: frame.func,
          registers: known,
        })
      known = this.#callerOf(frame, known)
      if (this.#frames.length < maxFrames) return true
      this.#cut = true
      return false
    })
  }

  c(registers: DwarfRegisters, origin: RegisterOrigin, stop?: (pc: number, sp: number) => boolean): void {
    const frames = [...this.#context.cStacks.walk(registers, stop)]
    frames.forEach((frame, i) => {
      const cfa = frames[i + 1]?.sp ?? 0
      this.#frames.push(...this.#inlined(cFrame(frame, cfa, i === 0 ? origin : 'unwound')))
    })
  }

  result(): Walked {
    const frames: Frame[] = []
    let physical = this.#frames.length - 1
    for (let index = this.#frames.length - 1; index >= 0; index--) {
      const frame = this.#frames[index]!
      if (!frame.inlined) physical = index
      const on = this.#threadPointer === undefined ? {} : { threadPointer: this.#threadPointer }
      frames.push({ ...frame, ...on, index, physical, near: () => neighbours(frames, index) })
    }
    return { frames: frames.reverse(), cut: this.#cut }
  }

  /** A C frame and before it, as frames of their own, the calls that the compiler put into it. */
  #inlined(frame: Unnumbered): Unnumbered[] {
    const found = this.#context.debugFunctionAt(frame.lookupPc)
    if (found?.func.language !== 'c') return [frame]
    const { entry: _, ...shared } = frame
    return inlinedFrames(found.func, frame.lookupPc - found.unit.file.bias, frame).map(source =>
      source.inlined ? { ...shared, ...source } : { ...frame, ...source },
    )
  }

  /** Where C calls Go or Go was called from C, on through both. */
  #mixed(context: ThreadContext, registers: DwarfRegisters, origin: RegisterOrigin): void {
    const isGo = (pc: number): boolean => this.#context.runtime?.symtab.findFunc(pc) !== undefined
    let position = context.position
    let known = registers
    let from = origin
    for (let n = 0; n < maxSwitches && !this.#cut; n++) {
      if (position.pc === 0 || isGo(position.pc)) {
        const end = this.go({ position, registers: withOrigin(known, from) })
        if (end.kind !== 'foreign' || (end.pc === position.pc && end.sp === position.sp)) return
        if (!Number.isSafeInteger(end.pc) || !Number.isSafeInteger(end.sp)) return
        position = { ...position, pc: end.pc, sp: end.sp, trap: false }
        known = new Map([
          [rsp, BigInt(end.sp)],
          [rip, BigInt(end.pc)],
        ])
      } else {
        let next: { pc: number; sp: number } | undefined
        this.c(known, from, (pc, sp) => {
          if (!isGo(pc)) return false
          next = { pc, sp }
          return true
        })
        if (!next) return
        position = { ...position, ...next, trap: false }
        known = new Map([
          [rsp, BigInt(next.sp)],
          [rip, BigInt(next.pc)],
        ])
      }
      from = 'unwound'
    }
  }

  /** What a Go function leaves in its caller: by its place on the stack, and the frame pointer that it saved. */
  #callerOf({ fp, sp, func, pc }: PhysicalFrame, known: FrameRegisters): FrameRegisters {
    const { memory, arch } = this.#context.image
    const caller = new Map<number, RegisterValue>([[rsp, { value: BigInt(fp), origin: 'unwound' }]])
    const back = fp - arch.ptrSize
    if (memory.has(back, arch.ptrSize)) caller.set(rip, { value: memory.u64(back), origin: 'unwound' })
    const frameless = fp - sp <= arch.ptrSize || pc === func.entry
    const saved = fp - 2 * arch.ptrSize
    if (frameless) {
      const kept = known.get(rbp)
      if (kept) caller.set(rbp, kept)
    } else if (memory.has(saved, arch.ptrSize))
      caller.set(rbp, { value: memory.u64(saved), origin: 'unwound' })
    return caller
  }
}

function neighbours(frames: readonly Frame[], index: number): ReturnType<NonNullable<Frame['near']>> {
  const physical = frames[index]!.physical
  const callee = frames.findLast(frame => frame.physical === frame.index && frame.index < physical)
  const caller = frames.find(frame => frame.physical === frame.index && frame.index > physical)
  return { ...(callee ? { callee } : {}), ...(caller ? { caller } : {}) }
}

function withOrigin(registers: DwarfRegisters, origin: RegisterOrigin): FrameRegisters {
  return new Map([...registers].map(([number, value]) => [number, { value, origin }]))
}

function cFrame(frame: CFrame, cfa: number, origin: RegisterOrigin): Unnumbered {
  return {
    language: 'c',
    function: frame.name ?? '??',
    file: frame.source?.file ?? '',
    line: frame.source?.line ?? 0,
    pc: frame.pc,
    sp: frame.sp,
    cfa,
    lookupPc: frame.interrupted ? frame.pc : frame.pc - 1,
    inlined: false,
    ...(frame.offset === undefined ? {} : { entry: frame.pc - frame.offset }),
    ...(frame.path === undefined ? {} : { module: frame.path }),
    registers: withOrigin(frame.registers, origin),
  }
}
