/**
 * One architecture as a record of data. Everything that differs between machines and that the engine needs is here;
 * the layers above ask the record and never the machine's name.
 */
import { amd64 } from './amd64.ts'

export interface Arch {
  /** GOARCH. */
  readonly name: string
  /** e_machine. */
  readonly machine: number
  readonly ptrSize: 4 | 8
  readonly littleEndian: boolean
  /** `elf_prstatus` of the kernel: where the thread id and the registers are in an NT_PRSTATUS note. */
  readonly prstatus: {
    readonly size: number
    readonly cursig: number
    readonly pid: number
    readonly regs: number
  }
  /** General registers in the kernel's order, one word each. */
  readonly registers: readonly string[]
  readonly pc: string
  readonly sp: string
  /** Frame pointer, where the Go ABI keeps one. */
  readonly fp?: string
  /** Link register; absent on machines whose call pushes the return address. */
  readonly lr?: string
  /** Register that holds g in ABIInternal code. */
  readonly g: string
  /** Base register of thread-local storage and g's offset from it in Go programs without external TLS. */
  readonly tls?: { readonly base: string; readonly gOffset: number }
  /** `internal/runtime/sys.MinFrameSize`: words below the arguments in every frame. */
  readonly minFrameSize: number
  /** `runtime.framepointer_enabled`: frames save the caller's frame pointer above their locals. */
  readonly savesFramePointer: boolean
  /** `sys.PCQuantum`, for tables that do not say it. */
  readonly pcQuantum: number
  /** R_*_RELATIVE: the relocation that adds the load bias. */
  readonly relativeRelocation: number
  /**
   * Where the kernel saved the interrupted registers, as byte offsets from a `ucontext_t`: per register name.
   * Handlers get its address as their third argument.
   */
  readonly ucontext: Readonly<Record<string, number>>
  /** Offset of the `ucontext_t` from the stack pointer with which the kernel enters a signal handler. */
  readonly sigframeUcontext: number
  /** Offset of the `siginfo_t` from the same place. */
  readonly sigframeSiginfo: number
}

const all: readonly Arch[] = [amd64]

/** The record for an ELF header's machine and byte order. */
export function findArch(header: {
  machine: number
  littleEndian: boolean
  ptrSize: number
}): Arch | undefined {
  return all.find(
    arch =>
      arch.machine === header.machine &&
      arch.littleEndian === header.littleEndian &&
      arch.ptrSize === header.ptrSize,
  )
}
