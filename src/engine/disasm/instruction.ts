/**
 * Machine instructions as data, and the one thing that the engine wants of a disassembler: to be handed in by whoever
 * composes the engine, which has no packages of its own.
 */

/** `go` as `go tool objdump` writes it, `intel` as `objdump -M intel`, `gnu` as `objdump` (AT&T). */
export type Syntax = 'go' | 'intel' | 'gnu'

export type Operand =
  | { readonly kind: 'register'; readonly name: string }
  /** Sign-extended where the instruction does it; otherwise an unsigned number of `bits`. */
  | { readonly kind: 'immediate'; readonly value: bigint; readonly bits: 8 | 16 | 32 | 64 }
  /** Where a relative jump or call goes. */
  | { readonly kind: 'target'; readonly addr: number }
  | MemoryOperand

export interface MemoryOperand {
  readonly kind: 'memory'
  /** Only where a prefix says so. */
  readonly segment?: string
  readonly base?: string
  readonly index?: string
  readonly scale: number
  /** Signed; relative to the next instruction where `base` is the program counter. */
  readonly displacement: bigint
  /** The address itself, where it depends on no register but the program counter. */
  readonly address?: number
  /** Bytes that the instruction reads or writes there; 0 where it does neither (`lea`). */
  readonly size: number
  /** What the instruction does to it; `write` where it does both. */
  readonly access: 'read' | 'write' | 'none'
}

export type Flow = 'next' | 'jump' | 'branch' | 'call' | 'return' | 'stop'

export interface Instruction {
  readonly addr: number
  readonly bytes: Uint8Array
  /** As the manual of the machine has it, in lower case; `(bad)` for a byte that begins no instruction. */
  readonly mnemonic: string
  /** In the manual's order, the destination first. */
  readonly operands: readonly Operand[]
  /** AVX-512: which elements are written. */
  readonly mask?: { readonly register: string; readonly zeroing: boolean }
  readonly flow: Flow
  /** In the syntax that was asked for, without symbols; empty for `go`, which the engine writes itself. */
  readonly text: string
}

export interface Disassembler {
  /**
   * The instructions in `bytes`, which lie at `addr`, at most `max`. A byte that begins none counts as one instruction
   * `(bad)`, and decoding goes on behind it. The last one is `(bad)` where it is cut.
   */
  decode(bytes: Uint8Array, addr: number, syntax: Syntax, max: number): Instruction[]
}

export const badMnemonic = '(bad)'
