/** Where the traceback of a goroutine begins: runtime.traceback1, dopanic_m and sighandler decide it. */
import { type Goroutine, GStatus } from './goroutine.ts'
import type { Machine } from './machine.ts'
import { type GoThread, within } from './thread.ts'
import { type PhysicalFrame, type StackPosition, type UnwindContext, unwind } from './unwinder.ts'

export interface StackStart {
  readonly start: StackPosition
  /** Leading frames that are left out. */
  readonly skip?: (frame: PhysicalFrame) => boolean
}

/** `machine` is the goroutine's m, `thread` the kernel's thread of that. */
export function startOf(
  context: UnwindContext,
  g: Goroutine,
  machine: Machine | undefined,
  thread: GoThread | undefined,
): StackStart {
  if (g.status === GStatus.syscall) return { start: { ...g.syscall, lr: 0, trap: false, isSyscall: true } }
  if (machine?.curg !== g.addr) return { start: savedPosition(g) }
  const { vdso } = machine
  if (within(vdso.sp, g.stack) && context.symtab.findFunc(vdso.pc))
    return { start: { ...vdso, lr: 0, trap: false, isSyscall: false } }
  if (g.status !== GStatus.running) return { start: savedPosition(g) }
  const position = thread?.contexts.at(-1)?.position
  if (position && within(position.sp, g.stack) && context.symtab.findFunc(position.pc))
    return belowDying(context, position)
  return belowDying(context, savedPosition(g))
}

/** What the goroutine saved when it left its thread. */
export function savedPosition(g: Goroutine): StackPosition {
  const { syscall } = g
  if (syscall.sp !== 0) return { ...syscall, lr: 0, trap: false, isSyscall: true }
  return { ...g.sched, trap: false, isSyscall: false }
}

/** Frames above runtime.fatalpanic that are looked at. */
const maxMachinery = 16

/** What can be innermost on a dying goroutine's own stack (runtime/panic.go, signal_unix.go, sys_linux_*.s). */
const dyingCallers = new Set([
  'runtime.systemstack_switch',
  'runtime.systemstack',
  'runtime.raise',
  'runtime.tgkill',
  'runtime.dieFromSignal',
  'runtime.crash',
])

/**
 * Of a dying goroutine the runtime prints what is below runtime.fatalpanic or runtime.fatalthrow: those, and what they
 * called, are the machinery of dying. Without one of them the stack is printed from its top.
 */
function belowDying(context: UnwindContext, start: StackPosition): StackStart {
  let machinery = 0
  let count = 0
  unwind(context, start, ({ func }) => {
    count++
    if (func.role === 'fatalpanic' || func.role === 'fatalthrow') machinery = count
    return machinery === 0 && count < maxMachinery && dyingCallers.has(func.name)
  })
  return machinery === 0 ? { start } : { start, skip: () => machinery-- > 0 }
}
