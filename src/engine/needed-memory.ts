/**
 * What of a dead process's memory is worth keeping when most of it must go: whatever its report was made of, what other
 * debuggers need to list the goroutines and walk the stacks, and then, as far as there is room, the values of variables and
 * what pointers on the stacks lead to.
 */
import { MemoryFault } from '../base/errors.ts'
import { bytesInCore } from './core/mini-core.ts'
import type { AddressRange, TouchedMemory } from './core/touched-memory.ts'
import type { Debugger } from './debugger.ts'
import type { Process } from './report/process.ts'
import type { Report } from './report/report.ts'
import type { Goroutine } from './runtime/goroutine.ts'
import type { Variable } from './type/variable.ts'
import { formatValue } from './value/format.ts'
import { fullLimits, type ValueLimits } from './value/value.ts'

export interface NeededOptions {
  /** Bytes; what is needed for sure is kept even where that is more. */
  readonly budget: number
  /** Asked now and then; false ends the search for what is good to have. */
  readonly mayGoOn: () => boolean
}

/** What a core says: what a mini-core of it must say, too. */
export interface Essence {
  readonly report: Report
  /** The variables of the goroutine that died, frame by frame, and the program's own package variables, as text. */
  readonly variables: readonly string[]
}

/** Segments as small are kept whole: the first pages of files, libraries' data, the vdso. */
const smallSegment = 64 << 10
/** Of a stack: what matters is near its top, and how the goroutine began. */
const mostOfStack = 256 << 10
const endOfStack = 4096
/** No version's `runtime.g` and `runtime.m` are longer. */
const sizeOfG = 512
const sizeOfM = 3072
/** Signal frames lie below, and the red zone of the ABI. */
const belowSp = 512
const aboveSp = 64 << 10
/** The thread control block lies behind it: struct pthread of glibc has 2304 bytes, which libthread_db reads. */
const aroundTls = 4096
const mostVariables = 256
const mostGlobals = 512

const essenceLimits: ValueLimits = { ...fullLimits, values: 2000, items: 32 }
const otherLimits: ValueLimits = { ...fullLimits, values: 200, items: 8, fields: 32 }

/** The report and the variables that go with it; `touched` of the process then knows what they were made of. */
export function readEssence(process: Process, inspect: Debugger): Essence {
  const report = process.report()
  const start = inspect.start()
  const frames = start ? inspect.stack(start).frames : []
  const variables = frames.flatMap(frame => [
    `${frame.function} ${inspect.argumentWords(frame) ?? ''}`,
    ...inspect.variables(frame).all().slice(0, mostVariables).map(textOf(inspect, essenceLimits)),
  ])
  return { report, variables: [...variables, ...ownGlobals(process, inspect)] }
}

function ownGlobals(process: Process, inspect: Debugger): string[] {
  const path = process.runtime?.buildInfo?.main?.path
  const isOwn = (name: string): boolean =>
    name.startsWith('main.') || (path !== undefined && name.startsWith(`${path}/`))
  return inspect.program
    .globalNames()
    .filter(isOwn)
    .slice(0, mostGlobals)
    .flatMap(name => {
      const variable = inspect.global(name)
      return variable ? [textOf(inspect, essenceLimits)(variable)] : []
    })
}

const textOf =
  (inspect: Debugger, limits: ValueLimits) =>
  (variable: Variable): string => {
    try {
      return `${variable.name} = ${formatValue(inspect.load(variable, limits))}`
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error
      return `${variable.name} = (${error.message})`
    }
  }

/** Adds to `touched`, which has taken down what the essence was made of, what else is to be kept. */
export function addNeeded(
  process: Process,
  inspect: Debugger,
  touched: TouchedMemory,
  options: NeededOptions,
): void {
  for (const { start, end } of [...stackRanges(process), ...betweenStacks(process)])
    touched.add(start, end - start)
  const { budget, mayGoOn } = options
  // What was read of the program's file takes no room in a core.
  const elsewhere = touched.size - bytesInCore(process.image.core, touched.ranges())
  const hasRoom = (more = 0): boolean => touched.size - elsewhere + more < budget && mayGoOn()
  const { segments } = process.image.core
  const { executable } = process.image
  const isData = (vaddr: number): boolean =>
    executable !== undefined && vaddr >= executable.start && vaddr < executable.end
  // The runtime's variables, libraries' data: whoever else reads the core may look at any of it.
  for (const { vaddr, filesz } of segments.toSorted((a, b) => a.filesz - b.filesz))
    if (filesz <= smallSegment || isData(vaddr)) if (hasRoom(2 * filesz)) touched.add(vaddr, filesz)
  followPointers(process, touched, hasRoom, { first: 512, later: 256, levels: 2 }, guiltyStacks(process))
  readOthers(inspect, hasRoom)
  const stacks = goroutinesOf(process).flatMap(g => topOfStack(process, g))
  followPointers(process, touched, hasRoom, { first: 256, later: 128, levels: 1 }, stacks)
}

const goroutinesOf = (process: Process): Goroutine[] => [...(process.runtime?.goroutines() ?? [])]

/** Of the goroutine that died, of the main one, and of the thread that died: C code has no other. */
function guiltyStacks(process: Process): AddressRange[] {
  const guilty = process.guilty()
  const goroutines = goroutinesOf(process).filter(({ id }) => id === guilty?.id || id === 1)
  const threads = process.image.core.threads.filter(({ crashed }) => crashed)
  return [
    ...goroutines.flatMap(g => topOfStack(process, g)),
    ...threads.map(({ registers: { sp } }) => ({ start: sp, end: sp + followedStack })),
  ]
}

function topOfStack(process: Process, g: Goroutine): AddressRange[] {
  const used = usedStack(process, g)
  return used ? [{ start: used.start, end: Math.min(used.end, used.start + followedStack) }] : []
}

/** Structures and the used part of the stacks of goroutines, machines and threads. */
function* stackRanges(process: Process): Generator<AddressRange> {
  const { runtime } = process
  const { core } = process.image
  for (const { registers } of core.threads) {
    yield { start: registers.sp - belowSp, end: registers.sp + aboveSp }
    const tls = Number(registers.get('fs_base') ?? 0n)
    yield { start: tls - aroundTls, end: tls + aroundTls }
  }
  for (const { addr, g0, gsignal } of runtime?.machines.values() ?? []) {
    yield { start: addr, end: addr + sizeOfM }
    for (const g of [g0, gsignal]) yield { start: g, end: g + sizeOfG }
  }
  for (const g of goroutinesOf(process)) {
    yield { start: g.addr, end: g.addr + sizeOfG }
    const used = usedStack(process, g)
    if (!used) continue
    yield { start: used.start, end: Math.min(used.end, used.start + mostOfStack) }
    yield { start: Math.max(used.start, used.end - endOfStack), end: used.end }
  }
}

/** As far apart may be what Delve reads at once. */
const mostBetween = 1 << 20

/**
 * What lies between the stacks of the thread that died: Delve reads the memory from one frame to the next in one go, or none of it,
 * and the frames of a signal handler are on a stack of their own (pkg/proc/eval.go, FrameToScope).
 */
function* betweenStacks({ runtime }: Process): Generator<AddressRange> {
  for (const { contexts, thread } of runtime?.threads ?? [])
    for (const [i, { position }] of thread.crashed ? contexts.entries() : []) {
      const next = contexts[i + 1]?.position.sp
      if (next === undefined || Math.abs(next - position.sp) > mostBetween) continue
      yield { start: Math.min(next, position.sp), end: Math.max(next, position.sp) + endOfStack }
    }
}

/** From the lowest stack pointer that is known of a goroutine to the end of its stack. */
function usedStack({ runtime, image }: Process, g: Goroutine): AddressRange | undefined {
  try {
    const { lo, hi } = g.stack
    const isIn = (sp: number): boolean => sp >= lo && sp < hi
    const thread = runtime?.threadOf(g)
    const known = [
      g.sched.sp,
      g.syscall.sp,
      ...(thread?.contexts.map(({ position }) => position.sp) ?? []),
      ...(thread ? [thread.thread.registers.sp] : []),
    ].filter(isIn)
    if (known.length === 0) return undefined
    return { start: Math.max(lo, Math.min(...known) - image.arch.ptrSize * 16), end: hi }
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error
    return undefined
  }
}

/** Reads the variables of all goroutines' frames, which is what notes them. */
function readOthers(inspect: Debugger, hasRoom: () => boolean): void {
  for (const { id } of goroutinesOf(inspect.process))
    for (const frame of inspect.stack({ kind: 'goroutine', id }).frames) {
      if (!hasRoom()) return
      inspect.variables(frame).all().slice(0, mostVariables).map(textOf(inspect, otherLimits))
    }
}

interface Follow {
  /** Bytes that are kept of what a stack points to, and of what that points to. */
  readonly first: number
  readonly later: number
  readonly levels: number
}

/** How much of a stack is taken for pointers, from its top. */
const followedStack = 16 << 10
const mostPointers = 1 << 20

/** Keeps the beginnings of what words on the stacks point to, breadth first. */
function followPointers(
  { image: { memory, arch } }: Process,
  touched: TouchedMemory,
  hasRoom: () => boolean,
  { first, later, levels }: Follow,
  stacks: readonly AddressRange[],
): void {
  let level: readonly AddressRange[] = stacks
  for (let depth = 0; depth <= levels && level.length > 0; depth++) {
    const length = depth === 0 ? first : later
    const next: AddressRange[] = []
    for (const { start, end } of level) {
      if (!hasRoom()) return
      for (const target of pointersIn(start, end)) {
        const region = memory.regionAt(target)
        if (region?.origin !== 'core' || next.length >= mostPointers) continue
        const range = { start: target, end: Math.min(region.end, target + length) }
        if (!touched.has(target) || !touched.has(range.end - 1)) next.push(range)
        touched.add(target, range.end - target)
      }
    }
    level = next
  }

  function* pointersIn(start: number, end: number): Generator<number> {
    const size = arch.ptrSize
    for (let at = Math.ceil(start / size) * size; at + size <= end; at += size) {
      if (!memory.has(at, size)) return
      const word = memory.word(at)
      if (Number.isSafeInteger(word) && word >= 4096) yield word
    }
  }
}
