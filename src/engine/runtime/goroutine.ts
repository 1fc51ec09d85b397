/** One goroutine: what `runtime.g` holds, read when asked for. */
import type { Memory } from '../core/memory.ts'
import type { RuntimeLayout } from './layouts/layout.ts'

/** `g.atomicstatus` (runtime/runtime2.go); 10 and 11 since Go 1.26. */
export const GStatus = {
  idle: 0,
  runnable: 1,
  running: 2,
  syscall: 3,
  waiting: 4,
  dead: 6,
  copystack: 8,
  preempted: 9,
  leaked: 10,
  deadextra: 11,
} as const
export type GStatusName = keyof typeof GStatus | 'unknown'

/** Set while a stack is scanned. */
const scanBit = 0x1000

const names = new Map<number, GStatusName>(
  Object.entries(GStatus).map(([name, n]) => [n, name as GStatusName]),
)

/** Offsets of the fields, looked up once. */
export class GOffsets {
  readonly layout: RuntimeLayout
  readonly ptrSize: number
  readonly status: number
  readonly goid: number
  readonly m: number
  readonly schedSp: number
  readonly schedPc: number
  readonly schedLr: number
  readonly syscallsp: number
  readonly syscallpc: number
  readonly waitsince: number
  readonly waitreason: number
  readonly lockedm: number
  readonly gopc: number
  readonly startpc: number
  readonly parentGoid: number | undefined
  readonly labels: number

  constructor(layout: RuntimeLayout, ptrSize: number) {
    this.layout = layout
    this.ptrSize = ptrSize
    const sched = layout.at('g.sched')
    this.status = layout.at('g.atomicstatus')
    this.goid = layout.at('g.goid')
    this.m = layout.at('g.m')
    this.schedSp = sched + layout.at('gobuf.sp')
    this.schedPc = sched + layout.at('gobuf.pc')
    this.schedLr = sched + layout.at('gobuf.lr')
    this.syscallsp = layout.at('g.syscallsp')
    this.syscallpc = layout.at('g.syscallpc')
    this.waitsince = layout.at('g.waitsince')
    this.waitreason = layout.at('g.waitreason')
    this.lockedm = layout.at('g.lockedm')
    this.gopc = layout.at('g.gopc')
    this.startpc = layout.at('g.startpc')
    this.parentGoid = layout.find('g.parentGoid')
    this.labels = layout.at('g.labels')
  }
}

export class Goroutine {
  readonly addr: number
  readonly #memory: Memory
  readonly #offsets: GOffsets
  #id: number | undefined
  #status: number | undefined

  constructor(memory: Memory, offsets: GOffsets, addr: number) {
    this.#memory = memory
    this.#offsets = offsets
    this.addr = addr
  }

  /** `goid`. */
  get id(): number {
    this.#id ??= this.#count(this.#offsets.goid)
    return this.#id
  }

  /** `atomicstatus` without the scan bit. */
  get status(): number {
    return this.#rawStatus & ~scanBit
  }

  get statusName(): GStatusName {
    return names.get(this.status) ?? 'unknown'
  }

  /** The garbage collector holds the goroutine to scan its stack. */
  get isScan(): boolean {
    return (this.#rawStatus & scanBit) !== 0
  }

  /** Not to be listed: free for reuse. */
  get isDead(): boolean {
    return this.status === GStatus.dead || this.status === GStatus.deadextra
  }

  /** Address of its m, 0 for none. */
  get m(): number {
    return this.#word(this.#offsets.m)
  }

  get isLocked(): boolean {
    return this.#word(this.#offsets.lockedm) !== 0
  }

  get waitReason(): number {
    return this.#memory.u8(this.addr + this.#offsets.waitreason)
  }

  /** Nanoseconds of the runtime's clock; 0 unless a garbage collection saw it wait. */
  get waitSince(): number {
    return this.#count(this.#offsets.waitsince)
  }

  get stack(): { readonly lo: number; readonly hi: number } {
    return { lo: this.#memory.word(this.addr), hi: this.#memory.word(this.addr + this.#offsets.ptrSize) }
  }

  get sched(): { readonly pc: number; readonly sp: number; readonly lr: number } {
    const { schedPc, schedSp, schedLr } = this.#offsets
    return { pc: this.#word(schedPc), sp: this.#word(schedSp), lr: this.#word(schedLr) }
  }

  get syscall(): { readonly pc: number; readonly sp: number } {
    return { pc: this.#word(this.#offsets.syscallpc), sp: this.#word(this.#offsets.syscallsp) }
  }

  /** Pc of the go statement. */
  get gopc(): number {
    return this.#word(this.#offsets.gopc)
  }

  /** Pc of the function that it was started with. */
  get startpc(): number {
    return this.#word(this.#offsets.startpc)
  }

  /** Go 1.21 and later; 0 where it is not known. */
  get parentGoid(): number {
    const { parentGoid } = this.#offsets
    return parentGoid === undefined ? 0 : this.#count(parentGoid)
  }

  /** Any word-sized field by its name in the layout; undefined where this version does not have it. */
  field(name: string): number | undefined {
    const offset = this.#offsets.layout.find(`g.${name}`)
    return offset === undefined ? undefined : this.#word(offset)
  }

  /** A word-sized field whose value is not an address that programs have: all 64 bits of it. */
  wideField(name: string): bigint {
    const offset = this.#offsets.layout.find(`g.${name}`)
    if (offset === undefined) return 0n
    const at = this.addr + offset
    return this.#offsets.ptrSize === 8 ? this.#memory.u64(at) : BigInt(this.#memory.u32(at))
  }

  get #rawStatus(): number {
    this.#status ??= this.#memory.u32(this.addr + this.#offsets.status)
    return this.#status
  }

  /** A 64-bit field; without a bigint where a word holds it, for there may be many goroutines. Finite in damaged memory, too. */
  #count(offset: number): number {
    const at = this.addr + offset
    const count = this.#offsets.ptrSize === 8 ? this.#memory.word(at) : Number.POSITIVE_INFINITY
    return Number.isFinite(count) ? count : Number(this.#memory.u64(at))
  }

  #word(offset: number): number {
    return this.#memory.word(this.addr + offset)
  }
}
