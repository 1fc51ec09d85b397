/** Registers of a thread: those in the core, or those that the kernel saved in the frame of a signal. */
import type { ProcessImage } from '../core/process-image.ts'
import { dwarfRegisters } from '../dwarf/c-stack.ts'
import type { DwarfRegisters } from '../dwarf/unwind.ts'
import type { GoThread, ThreadContext } from '../runtime/thread.ts'

/** All general registers of a context, by DWARF number. */
export function registersAt(
  { memory, arch }: Pick<ProcessImage, 'memory' | 'arch'>,
  { thread, contexts }: GoThread,
  context: ThreadContext,
): DwarfRegisters {
  if (context === contexts[0]) return dwarfRegisters(name => thread.registers.get(name))
  return dwarfRegisters(name => {
    const offset = arch.ucontext[name]
    if (offset === undefined || context.ucontext === undefined) return undefined
    const addr = context.ucontext + offset
    return memory.has(addr, 8) ? memory.u64(addr) : undefined
  })
}
