/**
 * Tracebacks: a walk's physical frames, each opened into the functions that were inlined there, with names, lines and
 * arguments as GOTRACEBACK=crash prints them (runtime.traceback2; before Go 1.21 gentraceback's printing part).
 */
import type { Memory } from '../core/memory.ts'
import {
  elideWrapperCalling,
  type FuncRole,
  funcRole,
  type GoFunc,
  isExportedRuntime,
  type LogicalFrame,
  printedFuncName,
  wrapperFuncID,
} from '../gosym/index.ts'
import { formatArguments } from './arguments.ts'
import {
  type PhysicalFrame,
  type StackPosition,
  symPC,
  type UnwindContext,
  unwind,
  type WalkEnd,
} from './unwinder.ts'

/** One line pair of a traceback. */
export class TracebackFrame {
  /** As printed: `main.(*T).put`, `panic`, `main.apply[...]`. */
  readonly function: string
  readonly file: string
  readonly line: number
  readonly inlined: boolean
  /** Of the physical frame; the same for the functions inlined into it. */
  readonly pc: number
  readonly sp: number
  readonly fp: number
  /** The physical function. */
  readonly func: GoFunc
  /** Left out by the runtime below GOTRACEBACK=system. */
  readonly hidden: boolean
  /** The same object for all frames of one function at one instruction: what is said of them but for arguments is the same. */
  readonly site: object
  readonly #memory: Memory
  readonly #argp: number
  /** By which the liveness of arguments is looked up. */
  readonly #argPC: number

  constructor(
    memory: Memory,
    frame: PhysicalFrame,
    logical: { function: string; file: string; line: number; inlined: boolean },
    details: { hidden: boolean; argp: number; argPC: number },
  ) {
    this.function = logical.function
    this.file = logical.file
    this.line = logical.line
    this.inlined = logical.inlined
    this.pc = frame.pc
    this.sp = frame.sp
    this.fp = frame.fp
    this.func = frame.func
    this.hidden = details.hidden
    this.site = logical
    this.#memory = memory
    this.#argp = details.argp
    this.#argPC = details.argPC
  }

  /** The `+0x…` of the traceback; none for inlined functions, nor at a function's first instruction. */
  get offset(): number | undefined {
    return !this.inlined && this.pc > this.func.entry ? this.pc - this.func.entry : undefined
  }

  /** The text between the parentheses. */
  get args(): string {
    return this.inlined ? '...' : formatArguments(this.#memory, this.func, this.#argp, this.#argPC)
  }
}

export interface Traceback {
  /** Innermost first. */
  readonly frames: TracebackFrame[]
  /** Where the stack was too deep to keep: after this many frames, this many are left out. */
  readonly omitted?: { readonly after: number; readonly count: number }
  readonly end: WalkEnd
}

export interface TracebackLimits {
  /** Physical frames kept of the innermost and of the outermost end. */
  readonly inner: number
  readonly outer: number
}

export const defaultLimits: TracebackLimits = { inner: 256, outer: 256 }

/** Names and lines at a symbolized pc: the same for all stacks that hold it. */
interface Symbolized {
  readonly function: string
  readonly file: string
  readonly line: number
  readonly inlined: boolean
  readonly pc: number
  readonly role: FuncRole | undefined
  readonly isWrapper: boolean
  /** Hidden whatever it called: runtime internals. */
  readonly internal: boolean
  readonly isPanic: boolean
}

const maxSymbolized = 1 << 16

export class Tracebacker {
  readonly context: UnwindContext
  readonly #limits: TracebackLimits
  /** By twice the pc, and one more for interrupted instructions: the pc is looked up as it is there. */
  readonly #symbolized = new Map<number, readonly Symbolized[]>()

  constructor(context: UnwindContext, limits: TracebackLimits = defaultLimits) {
    this.context = context
    this.#limits = limits
  }

  /** `skip` tells of leading physical frames whether to leave them out, until it first says no. */
  trace(start: StackPosition, skip?: (frame: PhysicalFrame) => boolean): Traceback {
    const { inner, outer } = this.#limits
    const first: PhysicalFrame[] = []
    const ring: PhysicalFrame[] = []
    let total = 0
    let skipping = skip
    let omittedCount = 0
    const end = unwind(this.context, start, frame => {
      if (skipping?.(frame)) return true
      skipping = undefined
      if (first.length < inner) first.push(frame)
      else {
        const slot = total % outer
        const dropped = ring[slot]
        if (dropped) omittedCount += this.#symbolize(dropped).length
        ring[slot] = frame
        total++
      }
      return true
    })
    const frames: TracebackFrame[] = []
    for (const frame of first) this.#open(frame, frames)
    const after = frames.length
    const split = total > outer ? total % outer : 0
    for (const frame of [...ring.slice(split), ...ring.slice(0, split)]) this.#open(frame, frames)
    return { frames, end, ...(omittedCount > 0 ? { omitted: { after, count: omittedCount } } : {}) }
  }

  #open(frame: PhysicalFrame, into: TracebackFrame[]): void {
    const { memory, arch, goMinor } = this.context
    const argp = frame.fp + arch.minFrameSize
    const tracePC = symPC(frame)
    let callee = frame.callee?.role
    for (const logical of this.#symbolize(frame)) {
      const first = into.length === 0
      const elided = logical.isWrapper && elideWrapperCalling(callee)
      const hidden = elided || (logical.internal && !(logical.isPanic && !first))
      // Before Go 1.21 the loop over inlined functions had moved the pc when the arguments were printed.
      const argPC = goMinor >= 21 ? tracePC : logical.pc
      into.push(new TracebackFrame(memory, frame, logical, { hidden, argp, argPC }))
      callee = logical.role
    }
  }

  #symbolize(frame: PhysicalFrame): readonly Symbolized[] {
    const pc = symPC(frame)
    // One and the same instruction may be a return address on one stack and interrupted on another.
    const key = frame.pc * 2 + (pc === frame.pc ? 1 : 0)
    let known = this.#symbolized.get(key)
    if (!known) {
      known = frame.func.inlinedAt(pc).map(logical => this.#describe(logical))
      if (this.#symbolized.size >= maxSymbolized) this.#symbolized.clear()
      this.#symbolized.set(key, known)
    }
    return known
  }

  #describe({ name, file, line, inlined, pc, funcID }: LogicalFrame): Symbolized {
    const { goMinor } = this.context
    const role = funcRole(name)
    return {
      function: printedFuncName(name, goMinor),
      file,
      line,
      inlined,
      pc,
      role,
      isWrapper: funcID === wrapperFuncID(goMinor),
      internal: isInternal(name, role, goMinor),
      isPanic: role === 'gopanic',
    }
  }
}

/** runtime.showfuncinfo at the default level, but for wrappers and for gopanic below the first frame. */
function isInternal(name: string, role: FuncRole | undefined, goMinor: number): boolean {
  // Go 1.25: always shown, as a sign of what the goroutine is.
  if (goMinor >= 25 && (role === 'runFinalizers' || role === 'runCleanups')) return false
  return !name.includes('.') || (name.startsWith('runtime.') && !isExportedRuntime(name, goMinor))
}
