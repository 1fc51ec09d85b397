/**
 * A frame of a stack as a place to look from: a function at an instruction, with the registers that are known there.
 * Numbered as `dlv` numbers them: from 0 at the innermost, a call that was inlined counts as a frame of its own.
 */
import type { GoFunc } from '../gosym/index.ts'

/** How the value of a register in a frame is known. */
export type RegisterOrigin =
  /** The thread's own, in the core. */
  | 'thread'
  /** The kernel saved it when a signal came. */
  | 'signal'
  /** By call frame information, or the frame's own place on the stack. */
  | 'unwound'
  /** The goroutine saved it when it left its thread. */
  | 'saved'
  /** Found where the program keeps a copy: `note` says where. */
  | 'recovered'

export interface RegisterValue {
  readonly value: bigint
  readonly origin: RegisterOrigin
  /** For people: `spilled by runtime.chansend at 0xc00006ee40`. */
  readonly note?: string
}

/** Known registers by their DWARF numbers. */
export type FrameRegisters = ReadonlyMap<number, RegisterValue>

export interface Frame {
  readonly index: number
  readonly language: 'go' | 'c'
  /** Full name, with package path and type arguments; `??` where none is known. */
  readonly function: string
  readonly file: string
  /** 0 where it is not known. */
  readonly line: number
  /** Of the physical frame; the same for the calls inlined into it. */
  readonly pc: number
  readonly sp: number
  /** Canonical frame address: the caller's stack pointer; 0 where it is not known. */
  readonly cfa: number
  /** The address to look up lines and variables by: the call's and not the one it returns to. */
  readonly lookupPc: number
  /** The call was inlined into the frame with the next higher index. */
  readonly inlined: boolean
  /** Address of the function's first instruction, where it is known. */
  readonly entry?: number
  /** Go: pclntab's function of the physical frame. */
  readonly func?: GoFunc
  /** C: the file whose code it is. */
  readonly module?: string
  readonly registers: FrameRegisters
  /** Address of the closure of a function that is not yet entered: its captured variables are there. */
  readonly closure?: number
  /** Of the kernel's thread that the stack is on, where it is on one: its thread-local variables lie about there. */
  readonly threadPointer?: number
  /** The frame that this one is inlined into, or itself. */
  readonly physical: number
  /** The physical frames that it called and that called it. */
  near?(): { readonly callee?: Frame; readonly caller?: Frame }
}

/** What a debugger looks at: a goroutine, or one of the kernel's threads. */
export type Subject =
  | { readonly kind: 'goroutine'; readonly id: number }
  | { readonly kind: 'thread'; readonly tid: number }

export interface Stack {
  readonly subject: Subject
  /** Innermost first. */
  readonly frames: readonly Frame[]
  /** The stack goes on behind the frames that are kept. */
  readonly cut: boolean
}
