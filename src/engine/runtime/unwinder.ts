/**
 * Walks a Go stack the way the runtime's own unwinder does when it prints a traceback: runtime/traceback.go,
 * `(*unwinder).resolveInternal` and `next` (before Go 1.21: `gentraceback`). Frame sizes come from pclntab's pcsp
 * tables. Every step moves up the stack, and the steps are counted: no stack, however damaged, is walked for ever.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Arch } from '../arch/arch.ts'
import type { Memory } from '../core/memory.ts'
import type { GoFunc, Symtab } from '../gosym/index.ts'

/** Where a walk begins. */
export interface StackPosition {
  readonly pc: number
  readonly sp: number
  /** Link register, on machines that have one; 0 where it is not known. */
  readonly lr: number
  /** The pc is of an interrupted instruction and not a return address. */
  readonly trap: boolean
  /** The position was saved by entersyscall. */
  readonly isSyscall: boolean
}

export interface PhysicalFrame {
  readonly func: GoFunc
  readonly pc: number
  readonly sp: number
  /** The stack pointer of the caller. */
  readonly fp: number
  /** The pc is of an interrupted instruction. */
  readonly trap: boolean
  /** The function that this one called; none for the innermost. */
  readonly callee: GoFunc | undefined
}

/** Why a walk ended. All but `top`, `switch` and `foreign` mean that frames may be missing. */
export type WalkEnd =
  /** At a function that begins stacks. */
  | { kind: 'top' }
  /** At a function that changes the stack pointer in a way that tables don't tell: systemstack, mcall, gogo. */
  | { kind: 'switch'; func: GoFunc }
  /** The caller, or the first pc, is not Go code. */
  | { kind: 'foreign'; pc: number; sp: number }
  | { kind: 'fault'; addr: number }
  | { kind: 'stuck'; pc: number }
  | { kind: 'limit' }

/** More frames than a stack of 1 GB, the runtime's own limit, can hold. */
const maxFrames = 1 << 26

export interface UnwindContext {
  readonly memory: Memory
  readonly arch: Arch
  readonly symtab: Symtab
  readonly goMinor: number
}

/** Calls `visit` for each frame, innermost first, until it returns false. */
export function unwind(
  { memory, arch, symtab, goMinor }: UnwindContext,
  start: StackPosition,
  visit: (frame: PhysicalFrame) => boolean,
): WalkEnd {
  const { ptrSize } = arch
  const usesLR = arch.lr !== undefined
  let { pc, sp, lr, trap } = start
  let callee: GoFunc | undefined
  try {
    if (pc === 0) {
      // A call of a nil function: begin in the caller's frame.
      pc = memory.word(sp)
      if (usesLR) lr = 0
      else sp += ptrSize
    }
    let func = symtab.findFunc(pc)
    if (!func) return { kind: 'foreign', pc, sp }
    for (let count = 0; count < maxFrames; count++) {
      // No frame information: race detector and the like.
      if (!func.hasFrameInfo) return { kind: 'top' }
      const delta = func.spDelta(pc)
      if (delta < 0) return { kind: 'stuck', pc }
      // On stack machines the call pushed the return address.
      const fp: number = sp + delta + (usesLR ? 0 : ptrSize)
      if (!visit({ func, pc, sp, fp, trap, callee })) return { kind: 'limit' }
      if (func.isTopFrame) return { kind: 'top' }
      // cgocallback keeps both stacks walkable; a system call's position was saved before it could switch.
      const switches = func.writesSp && func.role !== 'cgocallback' && !(count === 0 && start.isSyscall)
      if (switches) return { kind: 'switch', func }
      if (!usesLR) lr = memory.word(fp - ptrSize)
      else if ((count === 0 && sp < fp) || lr === 0) lr = memory.word(sp)
      if (lr === 0) return { kind: 'top' }
      if (fp <= sp && lr === pc) return { kind: 'stuck', pc }
      const caller = symtab.findFunc(lr)
      if (!caller) return { kind: 'foreign', pc: lr, sp: fp }
      const injected = isInjectedCall(func, goMinor)
      callee = func
      trap = injected
      func = caller
      pc = lr
      lr = 0
      sp = fp
      if (usesLR && isAnyInjectedCall(callee)) {
        // sighandler saved the link register on the stack before it faked the call.
        const saved = memory.word(sp)
        sp += Math.ceil(arch.minFrameSize / 16) * 16
        if (func.spDelta(pc) === 0) lr = saved
      }
    }
    return { kind: 'limit' }
  } catch (error) {
    if (error instanceof MemoryFault) return { kind: 'fault', addr: error.addr }
    throw error
  }
}

/** runtime.(*unwinder).symPC: the instruction that a frame executed last. */
export function symPC(frame: PhysicalFrame): number {
  return !frame.trap && frame.pc > frame.func.entry ? frame.pc - 1 : frame.pc
}

function isAnyInjectedCall(func: GoFunc): boolean {
  return func.role === 'sigpanic' || func.role === 'asyncPreempt' || func.role === 'debugCall'
}

/** Calls that a signal handler faked; Go before 1.21 took only sigpanic's caller for interrupted. */
function isInjectedCall(func: GoFunc, goMinor: number): boolean {
  return goMinor >= 21 ? isAnyInjectedCall(func) : func.role === 'sigpanic'
}
