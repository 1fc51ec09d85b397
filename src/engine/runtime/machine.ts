/** The runtime's threads, `runtime.m`, and which of the kernel's threads is which. */
import { MemoryFault } from '../../base/errors.ts'
import type { CoreThread } from '../core/thread.ts'
import { isG } from './allgs.ts'
import type { RuntimeLayout } from './layouts/layout.ts'
import type { UnwindContext } from './unwinder.ts'

export interface StackBounds {
  readonly lo: number
  readonly hi: number
}

export class Machine {
  readonly addr: number
  readonly id: number
  /** Kernel thread id, as the program saw it. */
  readonly procid: number
  readonly g0: number
  readonly gsignal: number
  /** Address of the goroutine that it runs, 0 for none. */
  readonly curg: number
  readonly throwing: number
  readonly dying: number
  readonly incgo: boolean
  readonly p: number
  readonly oldp: number
  /** Where Go code called into the vDSO, 0 outside of it. */
  readonly vdso: { readonly sp: number; readonly pc: number }
  readonly alllink: number

  constructor({ memory }: UnwindContext, layout: RuntimeLayout, addr: number) {
    const word = (field: string): number => memory.word(addr + layout.at(`m.${field}`))
    this.addr = addr
    this.id = Number(memory.u64(addr + layout.at('m.id')))
    this.procid = word('procid')
    this.g0 = word('g0')
    this.gsignal = word('gsignal')
    this.curg = word('curg')
    this.throwing = memory.i32(addr + layout.at('m.throwing'))
    this.dying = memory.i32(addr + layout.at('m.dying'))
    this.incgo = memory.u8(addr + layout.at('m.incgo')) !== 0
    this.p = word('p')
    this.oldp = word('oldp')
    this.vdso = { sp: word('vdsoSP'), pc: word('vdsoPC') }
    this.alllink = word('alllink')
  }
}

const maxMachines = 1 << 16

/**
 * All machines that can be reached: those that goroutines and the threads' own thread-local storage name, and the
 * older ones that `m.alllink` leads to.
 */
export function findMachines(
  context: UnwindContext,
  layout: RuntimeLayout,
  roots: Iterable<number>,
): Map<number, Machine> {
  const machines = new Map<number, Machine>()
  for (const root of roots) {
    for (let addr = root; addr !== 0 && !machines.has(addr) && machines.size < maxMachines; ) {
      const machine = tryMachine(context, layout, addr)
      if (!machine) break
      machines.set(addr, machine)
      addr = machine.alllink
    }
  }
  return machines
}

/** Whether the links lead from one machine to the next, and to none at the oldest only. */
export function linksHold(machines: ReadonlyMap<number, Machine>): boolean {
  let ends = 0
  for (const { alllink } of machines.values()) {
    if (alllink === 0) ends++
    else if (!machines.has(alllink)) return false
  }
  return ends <= 1
}

/** A machine is one whose g0 names it. */
function tryMachine(context: UnwindContext, layout: RuntimeLayout, addr: number): Machine | undefined {
  const { memory } = context
  try {
    const g0 = memory.word(addr + layout.at('m.g0'))
    if (g0 === 0 || memory.word(g0 + layout.at('g.m')) !== addr) return undefined
    return new Machine(context, layout, addr)
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/** The g that a thread's thread-local storage or its g register names; 0 for none. */
export function threadG({ memory, arch }: UnwindContext, layout: RuntimeLayout, thread: CoreThread): number {
  const { registers } = thread
  const candidates: number[] = []
  if (arch.tls) {
    const slot = registers.addr(arch.tls.base) + arch.tls.gOffset
    if (slot > 0 && memory.has(slot, memory.ptrSize)) candidates.push(memory.word(slot))
  }
  candidates.push(registers.addr(arch.g))
  return candidates.find(addr => isThreadG(memory, layout, addr)) ?? 0
}

/** g0 and gsignal have not always set `sched.g`, so their m is asked. */
function isThreadG(memory: UnwindContext['memory'], layout: RuntimeLayout, addr: number): boolean {
  if (isG(memory, layout, addr)) return true
  if (addr === 0 || !memory.has(addr, layout.at('g.startpc'))) return false
  const m = memory.word(addr + layout.at('g.m'))
  if (m === 0 || !memory.has(m, layout.at('m.curg') + memory.ptrSize)) return false
  return [layout.at('m.g0'), layout.at('m.gsignal'), layout.at('m.curg')].some(
    offset => memory.word(m + offset) === addr,
  )
}
