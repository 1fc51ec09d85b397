/** Threads as the kernel wrote them: one NT_PRSTATUS note each (`struct elf_prstatus`, include/linux/elfcore.h). */
import type { Arch } from '../arch/arch.ts'
import { viewOf } from '../bytes/layout.ts'
import { type ExtendedState, readExtendedState, type XsaveLayout } from './extended-state.ts'

/** The general registers of one thread. Addresses are numbers, other values bigints. */
export class Registers {
  readonly arch: Arch
  readonly #values: readonly bigint[]

  constructor(arch: Arch, values: readonly bigint[]) {
    this.arch = arch
    this.#values = values
  }

  /** `undefined` for a name that this machine does not have. */
  get(name: string): bigint | undefined {
    return this.#values[this.arch.registers.indexOf(name)]
  }

  /** A register as an address, 0 where the machine has no such register. */
  addr(name: string | undefined): number {
    return name === undefined ? 0 : Number(this.get(name) ?? 0n)
  }

  get pc(): number {
    return this.addr(this.arch.pc)
  }

  get sp(): number {
    return this.addr(this.arch.sp)
  }

  get fp(): number {
    return this.addr(this.arch.fp)
  }

  get lr(): number {
    return this.addr(this.arch.lr)
  }

  /** Name and value in the kernel's order. */
  entries(): [string, bigint][] {
    return this.arch.registers.map((name, i) => [name, this.#values[i] ?? 0n])
  }
}

export interface CoreThread {
  /** Kernel thread id, as the dumped process saw it in its PID namespace. */
  readonly tid: number
  /** `pr_cursig`. */
  readonly signal: number
  readonly registers: Registers
  /** The first in the core: the one that died. */
  readonly crashed: boolean
  /** Floating point and vector registers, where the core has them. */
  extended(): ExtendedState | undefined
}

/** The notes of one thread besides NT_PRSTATUS, as they come; the layout is the same for all threads. */
export interface ThreadNotes {
  fpregs?: Uint8Array
  xstate?: Uint8Array
  layout?: XsaveLayout
}

/** `notes` may be filled later: those of a thread follow its NT_PRSTATUS. */
export function readThread(
  arch: Arch,
  desc: Uint8Array,
  crashed: boolean,
  notes: ThreadNotes = {},
): CoreThread | undefined {
  if (desc.length < arch.prstatus.regs + arch.registers.length * arch.ptrSize) return undefined
  const view = viewOf(desc)
  const little = arch.littleEndian
  const values = arch.registers.map((_, i) => {
    const at = arch.prstatus.regs + i * arch.ptrSize
    return arch.ptrSize === 8 ? view.getBigUint64(at, little) : BigInt(view.getUint32(at, little))
  })
  return {
    tid: view.getInt32(arch.prstatus.pid, little),
    signal: view.getUint16(arch.prstatus.cursig, little),
    registers: new Registers(arch, values),
    crashed,
    extended: () => (arch.name === 'amd64' ? readExtendedState(notes) : undefined),
  }
}
