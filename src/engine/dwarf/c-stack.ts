/**
 * Stacks of code that is not Go: cgo's threads, and programs in C, C++ or Rust. Call frame tables first; a signal
 * trampoline without one is known by its instructions; code without any falls back on the frame pointer, which is a
 * guess, and says so.
 */
import type { ProcessImage } from '../core/process-image.ts'
import { type FrameTables, openFrameTables } from './frame-tables.ts'
import type { SourceFrame } from './inlined-frames.ts'
import type { SourcePlace } from './line-table.ts'
import { loadedFiles } from './loaded-files.ts'
import { Symbolizer } from './symbolizer.ts'
import { amd64DwarfNames, amd64Machine, type DwarfRegisters, unwindStep } from './unwind.ts'

export interface CFrame {
  readonly pc: number
  readonly sp: number
  /** Symbol name; absent where the file has none for the address. */
  readonly name?: string
  /** From the symbol's start. */
  readonly offset?: number
  /** Path of the file whose code it is. */
  readonly path?: string
  /** Source position, where the file has line tables. */
  readonly source?: SourcePlace
  /** From the file's first mapped byte: stable across runs of one build. */
  readonly fileOffset?: number
  /** The kernel interrupted it: `pc` is the very instruction, not the one behind a call. */
  readonly interrupted: boolean
  /** How the frame was found. */
  readonly by: 'registers' | 'cfi' | 'signal-frame' | 'frame-pointer' | 'return-address'
  readonly registers: DwarfRegisters
}

/** Frames kept of one stack, the innermost. */
export const maxCFrames = 512
const [rbp, rsp, rip] = [6, 7, 16]
/** `mov $15, %rax; syscall`: rt_sigreturn, as every libc's restorer and the runtime's sigreturn have it. */
const sigreturn = [0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05]

export class CStacks {
  readonly #image: ProcessImage
  readonly #tables: FrameTables
  readonly #symbols: Symbolizer

  constructor(image: ProcessImage) {
    this.#image = image
    const files = loadedFiles(image)
    this.#tables = openFrameTables(image, files)
    this.#symbols = new Symbolizer(files)
  }

  /** Frames from `registers` outwards, innermost first; ends before the first frame for which `stop` holds. */
  *walk(
    registers: DwarfRegisters,
    stop: (pc: number, sp: number) => boolean = () => false,
  ): Generator<CFrame> {
    let frame: Omit<CFrame, 'name' | 'offset' | 'path' | 'fileOffset' | 'source'> = {
      pc: numberOf(registers.get(rip)),
      sp: numberOf(registers.get(rsp)),
      interrupted: true,
      by: 'registers',
      registers,
    }
    for (let n = 0; n < maxCFrames; n++) {
      if (stop(frame.pc, frame.sp)) return
      yield { ...frame, ...this.#nameOf(frame) }
      const caller = this.#caller(frame, n === 0)
      if (!caller || caller.pc === 0 || (caller.pc === frame.pc && caller.sp === frame.sp)) return
      // A stack grows down, so callers are higher; only a signal may have come on another stack.
      if (caller.sp <= frame.sp && !caller.interrupted) return
      frame = caller
    }
  }

  /** What the address is, for a frame that was found another way. */
  nameOf(
    pc: number,
    interrupted: boolean,
  ): Pick<CFrame, 'name' | 'offset' | 'path' | 'fileOffset' | 'source'> {
    return this.#nameOf({ pc, interrupted })
  }

  /** A frame as the source has it, with those of the calls inlined into it before it; undefined without debug information. */
  inlinedAt({ pc, interrupted, name = '??' }: CFrame): readonly SourceFrame[] | undefined {
    return this.#symbols.inlinedAt(interrupted ? pc : pc - 1, name)
  }

  #nameOf({ pc, interrupted }: { pc: number; interrupted: boolean }): ReturnType<CStacks['nameOf']> {
    const at = this.#symbols.at(interrupted ? pc : pc - 1)
    if (!at) return {}
    const source = this.#symbols.lineAt(interrupted ? pc : pc - 1)
    const where = { path: at.file.path, fileOffset: pc - at.file.start, ...(source ? { source } : {}) }
    return at.name === undefined ? where : { ...where, name: at.name, offset: pc - at.start! }
  }

  #caller(
    frame: { pc: number; sp: number; interrupted: boolean; registers: DwarfRegisters },
    innermost: boolean,
  ): Omit<CFrame, 'name'> | undefined {
    // A call may be a function's last instruction: what is behind it belongs to the next function.
    const fde = this.#tables.find(frame.interrupted ? frame.pc : frame.pc - 1)
    if (fde) {
      const memory = { read: (addr: number, size: number) => this.#read(addr, size) }
      const up = unwindStep(
        fde,
        frame.interrupted ? frame.pc : frame.pc - 1,
        frame.registers,
        amd64Machine,
        memory,
      )
      if (up)
        return {
          pc: numberOf(up.pc),
          sp: numberOf(up.registers.get(rsp)),
          interrupted: fde.cie.signalFrame,
          by: fde.cie.signalFrame ? 'signal-frame' : 'cfi',
          registers: new Map([...up.registers, [rip, up.pc]]),
        }
    }
    return this.#signalCaller(frame) ?? this.#calledNowhere(frame, innermost) ?? this.#byFramePointer(frame)
  }

  /** At a trampoline the stack pointer is at the ucontext (the handler's return popped the pretcode). */
  #signalCaller({ pc, sp }: { pc: number; sp: number }): Omit<CFrame, 'name'> | undefined {
    const { memory, arch } = this.#image
    const code = memory.tryRead(pc, sigreturn.length)
    if (!code || !sigreturn.every((byte, i) => code[i] === byte) || !memory.has(sp, 256)) return undefined
    const registers = new Map<number, bigint>()
    for (const [name, offset] of Object.entries(arch.ucontext)) {
      const number = amd64DwarfNames.indexOf(name as (typeof amd64DwarfNames)[number])
      if (number >= 0) registers.set(number, memory.u64(sp + offset))
    }
    return {
      pc: numberOf(registers.get(rip)),
      sp: numberOf(registers.get(rsp)),
      interrupted: true,
      by: 'signal-frame',
      registers,
    }
  }

  /** A call through a bad pointer: the address holds no code, and the caller is on top of the stack. */
  #calledNowhere(
    { pc, sp, registers }: { pc: number; sp: number; registers: DwarfRegisters },
    innermost: boolean,
  ): Omit<CFrame, 'name'> | undefined {
    if (!innermost || this.#symbols.at(pc) || !this.#image.memory.has(sp, 8)) return undefined
    const back = this.#image.memory.word(sp)
    if (!Number.isFinite(back) || !this.#symbols.at(back)) return undefined
    const next = new Map([...registers, [rip, BigInt(back)] as const, [rsp, BigInt(sp + 8)] as const])
    return { pc: back, sp: sp + 8, interrupted: false, by: 'return-address', registers: next }
  }

  #byFramePointer({
    sp,
    registers,
  }: {
    sp: number
    registers: DwarfRegisters
  }): Omit<CFrame, 'name'> | undefined {
    const { memory } = this.#image
    const fp = numberOf(registers.get(rbp))
    if (fp < sp || fp % 8 !== 0 || fp - sp > 1 << 20 || !memory.has(fp, 16)) return undefined
    const [saved, back] = [memory.word(fp), memory.word(fp + 8)]
    if (!Number.isFinite(back) || !this.#symbols.at(back)) return undefined
    const next = new Map<number, bigint>([
      [rip, BigInt(back)],
      [rsp, BigInt(fp + 16)],
      ...(Number.isFinite(saved) ? [[rbp, BigInt(saved)] as const] : []),
    ])
    return { pc: back, sp: fp + 16, interrupted: false, by: 'frame-pointer', registers: next }
  }

  #read(addr: number, size: number): bigint {
    const { memory } = this.#image
    if (size === 8) return memory.u64(addr)
    return BigInt(size === 4 ? memory.u32(addr) : size === 2 ? memory.u16(addr) : memory.u8(addr))
  }
}

/** A thread's registers by DWARF number. */
export function dwarfRegisters(get: (name: string) => bigint | undefined): DwarfRegisters {
  const registers = new Map<number, bigint>()
  amd64DwarfNames.forEach((name, number) => {
    const value = get(name)
    if (value !== undefined) registers.set(number, value)
  })
  return registers
}

function numberOf(value: bigint | undefined): number {
  return value === undefined ? 0 : Number(value)
}
