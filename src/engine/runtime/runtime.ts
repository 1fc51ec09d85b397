/**
 * The Go runtime inside a dead process: its goroutines and threads, and their stacks. Works on stripped programs: from
 * pclntab, moduledata and the layout of this Go version's structures, checked against what memory shows.
 */
import { MemoryFault, reasonOf, UnsupportedError } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import type { ProcessImage } from '../core/process-image.ts'
import { type Warning, Warnings } from '../core/warnings.ts'
import {
  type BuildInfo,
  findBuildInfo,
  findModules,
  findPclntab,
  type ModuleData,
  openSymtab,
  printedFuncName,
  type Symtab,
} from '../gosym/index.ts'
import { findAllgs, searchForGs } from './allgs.ts'
import { formatArguments } from './arguments.ts'
import { findAllp, latestMoment } from './clock.ts'
import { type GoVersion, parseGoVersion } from './go-version.ts'
import { GOffsets, Goroutine, GStatus } from './goroutine.ts'
import { readLabels } from './labels.ts'
import { newestMinor, oldestMinor, RuntimeLayout } from './layouts/layout.ts'
import { findMachines, linksHold, type Machine, type StackBounds, threadG } from './machine.ts'
import { type StateContext, stateText, waitedFor, waitReasonText } from './state-text.ts'
import { type GoThread, readThreadContexts, type StackKind, threadStacks, within } from './thread.ts'
import { type Traceback, Tracebacker, type TracebackLimits } from './traceback.ts'
import { type PhysicalFrame, type StackPosition, symPC, type UnwindContext, unwind } from './unwinder.ts'
import { readWaitReasons } from './wait-reasons.ts'

export interface RuntimeOptions {
  /** CLOCK_MONOTONIC at the crash in nanoseconds, where someone took it down. */
  readonly monotonicNow?: number
  readonly limits?: TracebackLimits
  /** Takes up what is missing, also where there is no Runtime to ask for its warnings. */
  readonly warnings?: Warnings
}

export interface CreatedBy {
  readonly function: string
  readonly file: string
  readonly line: number
  readonly offset: number
  readonly pc: number
  /** 0 where this Go version does not record it. */
  readonly goroutine: number
}

/**
 * Undefined for a program that is not Go, and for a Go program of which neither core nor file show enough; then
 * `warnings`, where given, says so.
 */
export function openRuntime(image: ProcessImage, options: RuntimeOptions = {}): Runtime | undefined {
  const warnings = options.warnings ?? new Warnings()
  for (const file of [...(image.executable ? [image.executable] : []), ...image.libraries]) {
    const header = findPclntab(file, image.memory)
    if (!header) {
      if (findBuildInfo(file, image.memory))
        warnings.add('pclntab-missing', `${file.path} is a Go program whose table of functions could not be found.`)
      continue
    }
    const buildInfo = findBuildInfo(file, image.memory) ?? findBuildInfo(file, image.pristineMemory())
    const version = buildInfo && parseGoVersion(buildInfo.goVersion)
    let modules = findModules(image.memory, header, file, version?.minor)
    if (modules.length === 0) {
      warnings.add(
        'moduledata-damaged',
        `The core does not hold the module data of ${file.path}; those of the file are used.`,
      )
      modules = findModules(image.pristineMemory(), header, file, version?.minor)
    }
    if (modules.length === 0) {
      warnings.add('moduledata-missing', `${file.path} is a Go program whose module data could not be found.`)
      continue
    }
    return new Runtime(image, { buildInfo, version, modules, warnings, options })
  }
  return undefined
}

interface Found {
  buildInfo: BuildInfo | undefined
  version: GoVersion | undefined
  modules: ModuleData[]
  warnings: Warnings
  options: RuntimeOptions
}

export class Runtime {
  readonly image: ProcessImage
  readonly memory: Memory
  readonly symtab: Symtab
  readonly modules: readonly ModuleData[]
  readonly buildInfo: BuildInfo | undefined
  readonly version: GoVersion | undefined
  readonly layout: RuntimeLayout
  /** Whether the layout is of this very version, or the nearest one known or one that fits. */
  readonly layoutSource: 'table' | 'guess'
  readonly context: UnwindContext
  readonly tracebacker: Tracebacker
  /** By address. */
  readonly machines: ReadonlyMap<number, Machine>
  readonly threads: readonly GoThread[]
  /** GOMAXPROCS; 0 where it could not be found. */
  readonly gomaxprocs: number
  readonly #warnings: Warnings
  readonly #offsets: GOffsets
  readonly #allgs: Float64Array
  readonly #state: StateContext
  readonly #threadOfMachine = new Map<number, GoThread>()

  constructor(image: ProcessImage, { buildInfo, version, modules, warnings, options }: Found) {
    this.image = image
    this.memory = image.memory
    this.buildInfo = buildInfo
    this.version = version
    this.modules = modules
    this.#warnings = warnings
    this.symtab = openSymtab(image.memory, modules, warnings)
    const { layout, source, allgs } = chooseLayout(image.memory, modules, version, warnings)
    this.layout = layout
    this.layoutSource = source
    const goMinor = version?.minor ?? layout.minor
    this.context = { memory: image.memory, arch: image.arch, symtab: this.symtab, goMinor }
    this.tracebacker = new Tracebacker(this.context, options.limits)
    this.#offsets = new GOffsets(layout, image.arch.ptrSize)
    const threadGs = image.core.threads.map(thread => threadG(this.context, layout, thread))
    this.#allgs = allgs ?? this.#searchForGoroutines()
    this.machines = findMachines(this.context, layout, this.#machineRoots(threadGs))
    if (!linksHold(this.machines)) {
      const earlier = new RuntimeLayout(layout.minor, 'earlier')
      const machines = findMachines(this.context, earlier, this.#machineRoots(threadGs))
      if (linksHold(machines)) {
        this.layout = earlier
        this.machines = machines
      }
    }
    this.threads = this.#matchThreads(threadGs)
    const ps = findAllp(image.memory, layout, modules)
    this.gomaxprocs = ps.length
    this.#state = {
      memory: image.memory,
      layout,
      goMinor,
      waitReasons: readWaitReasons(image.memory, modules[0]!, goMinor),
      now:
        options.monotonicNow ??
        latestMoment(image.memory, layout, ps, this.#sampleOfGoroutines(), g => this.#sleepOf(g)),
    }
  }

  /** Goroutines that are not dead, in the order of `runtime.allgs`. */
  *goroutines(): Generator<Goroutine> {
    for (const addr of this.#allgs) {
      const g = this.#tryGoroutine(addr)
      if (g && !g.isDead) yield g
    }
  }

  /** The goroutine whose `g` is at `addr`, whether listed or not: g0 and gsignal, too. */
  goroutineAt(addr: number): Goroutine {
    return new Goroutine(this.memory, this.#offsets, addr)
  }

  /** How many `goroutines` has. */
  countGoroutines(): number {
    let count = 0
    for (const _ of this.goroutines()) count++
    return count
  }

  get warnings(): Warning[] {
    return this.#warnings.list()
  }

  /** The text between the brackets. */
  stateOf(g: Goroutine): string {
    return this.#guarded(g, 'unreadable', () => stateText(g, this.#state))
  }

  waitReasonOf(g: Goroutine): string | undefined {
    return this.#guarded(g, undefined, () => waitReasonText(g, this.#state))
  }

  /** Nanoseconds that it has waited, at least. */
  waitedFor(g: Goroutine): number | undefined {
    return this.#guarded(g, undefined, () => waitedFor(g, this.#state))
  }

  labelsOf(g: Goroutine): [string, string][] {
    return this.#guarded(g, [], () => readLabels(this.memory, g.field('labels') ?? 0, this.context.goMinor))
  }

  /** runtime.isSystemGoroutine with fixed=false. */
  isSystem(g: Goroutine): boolean {
    return this.#guarded(g, false, () => {
      const func = this.symtab.findFunc(g.startpc)
      switch (func?.role) {
        case undefined:
          return func?.name.startsWith('runtime.') ?? false
        case 'runtimeMain':
        case 'corostart':
        case 'handleAsyncEvent':
          return false
        case 'runFinalizers':
          // The runtime's flag for a finalizer in progress has no address here; without one it waits.
          return waitReasonText(g, this.#state) === 'finalizer wait'
        case 'runCleanups': {
          const offset = this.layout.find('g.runningCleanups')
          return offset === undefined || this.memory.u8(g.addr + offset) === 0
        }
        default:
          return true
      }
    })
  }

  /** The thread that ran it when the program died. */
  threadOf(g: Goroutine): GoThread | undefined {
    const machine = this.#guarded(g, undefined, () => this.machines.get(g.m))
    return machine && machine.curg === g.addr ? this.#threadOfMachine.get(machine.addr) : undefined
  }

  createdBy(g: Goroutine): CreatedBy | undefined {
    return this.#guarded(g, undefined, () => {
      const pc = g.gopc
      const func = pc === 0 || g.id === 1 ? undefined : this.symtab.findFunc(pc)
      if (!func) return undefined
      const { file, line } = func.lineAt(pc > func.entry ? pc - this.#pcQuantum : pc)
      return {
        function: printedFuncName(func.name, this.context.goMinor),
        file,
        line,
        offset: pc - func.entry,
        pc,
        goroutine: g.parentGoid,
      }
    })
  }

  /** The stack as the runtime would print it, from where the goroutine really was. */
  tracebackOf(g: Goroutine): Traceback {
    const nothing: Traceback = { frames: [], end: { kind: 'fault', addr: g.addr } }
    const traceback = this.#guarded(g, nothing, () => {
      const { start, skip } = this.#startOf(g)
      return this.tracebacker.trace(start, skip)
    })
    if (traceback.end.kind === 'fault')
      this.#warnings.add(
        'stack-unreadable',
        `The stack of goroutine ${this.#guarded(g, 0, () => g.id)} could not be read to its end: address 0x${traceback.end.addr.toString(16)} is not in the core.`,
      )
    return traceback
  }

  /** The stacks of a thread, innermost first: gsignal's, what the signal interrupted, … */
  stacksOf(thread: GoThread): ReturnType<typeof threadStacks> {
    return threadStacks(this.tracebacker, thread)
  }

  get #pcQuantum(): number {
    return this.modules[0]?.header.minLC ?? 1
  }

  /** As runtime.traceback1 chooses it. */
  #startOf(g: Goroutine): { start: StackPosition; skip?: (frame: PhysicalFrame) => boolean } {
    const machine = this.machines.get(g.m)
    if (g.status === GStatus.syscall) return { start: { ...g.syscall, lr: 0, trap: false, isSyscall: true } }
    const vdso = machine?.curg === g.addr ? machine.vdso : undefined
    if (vdso && within(vdso.sp, g.stack) && this.symtab.findFunc(vdso.pc))
      return { start: { ...vdso, lr: 0, trap: false, isSyscall: false } }
    if (g.status === GStatus.running && machine?.curg === g.addr) {
      const context = this.#threadOfMachine.get(machine.addr)?.contexts.at(-1)
      if (context && within(context.position.sp, g.stack) && this.symtab.findFunc(context.position.pc))
        return this.#belowDying(context.position)
      return this.#belowDying(this.#savedPosition(g))
    }
    return { start: this.#savedPosition(g) }
  }

  /**
   * Of a dying goroutine the runtime prints what is below runtime.fatalpanic or runtime.fatalthrow: those, and what
   * they called, are the machinery of dying. Without one of them the stack is printed from its top.
   */
  #belowDying(start: StackPosition): { start: StackPosition; skip?: (frame: PhysicalFrame) => boolean } {
    let machinery = 0
    let count = 0
    unwind(this.context, start, ({ func }) => {
      count++
      if (func.role === 'fatalpanic' || func.role === 'fatalthrow') machinery = count
      return machinery === 0 && count < maxMachinery && dyingCallers.has(func.name)
    })
    return machinery === 0 ? { start } : { start, skip: () => machinery-- > 0 }
  }

  #savedPosition(g: Goroutine): StackPosition {
    const { syscall } = g
    if (syscall.sp !== 0) return { ...syscall, lr: 0, trap: false, isSyscall: true }
    return { ...g.sched, trap: false, isSyscall: false }
  }

  #tryGoroutine(addr: number): Goroutine | undefined {
    const g = this.goroutineAt(addr)
    try {
      return g.status >= 0 && g.id >= 0 ? g : undefined
    } catch (error) {
      if (!(error instanceof MemoryFault)) throw error
      this.#warnings.add(
        'goroutine-unreadable',
        `The goroutine at 0x${addr.toString(16)} is not in the core.`,
      )
      return undefined
    }
  }

  /** Without `allgs`: whatever in memory looks like a goroutine. */
  #searchForGoroutines(): Float64Array {
    this.#warnings.add(
      'allgs-missing',
      'The list of all goroutines could not be found; those listed were found by searching the memory.',
    )
    return searchForGs(this.memory, this.layout, this.image.memory.regions)?.addrs ?? new Float64Array(0)
  }

  *#machineRoots(threadGs: readonly number[]): Generator<number> {
    const m = (addr: number): number => {
      try {
        return addr === 0 ? 0 : this.memory.word(addr + this.layout.at('g.m'))
      } catch {
        return 0
      }
    }
    for (const g of threadGs) yield m(g)
    for (const addr of this.#allgs ?? []) yield m(addr)
  }

  #matchThreads(threadGs: readonly number[]): GoThread[] {
    const byProcid = new Map([...this.machines.values()].map(machine => [machine.procid, machine]))
    // A thread that was just cloned has its parent's registers, and so its parent's g: procid goes first.
    const claimed = new Set(this.image.core.threads.map(({ tid }) => byProcid.get(tid)))
    return this.image.core.threads.map((thread, i) => {
      const own = threadGs[i]!
      const ownM = own === 0 ? undefined : this.machines.get(this.memory.word(own + this.layout.at('g.m')))
      const machine = byProcid.get(thread.tid) ?? (claimed.has(ownM) ? undefined : ownM)
      const contexts = readThreadContexts(this.context, thread, (sp, pc) => this.#stackKind(machine, sp, pc))
      const goThread: GoThread = { thread, machine, contexts }
      if (machine) this.#threadOfMachine.set(machine.addr, goThread)
      return goThread
    })
  }

  #stackKind(machine: Machine | undefined, sp: number, pc: number): StackKind {
    const on = (g: number): boolean => g !== 0 && within(sp, this.#bounds(g))
    if (machine) {
      if (on(machine.curg)) return 'goroutine'
      if (on(machine.gsignal)) return 'gsignal'
      if (on(machine.g0)) return this.symtab.findFunc(pc) ? 'g0' : 'c'
    }
    return this.symtab.findFunc(pc) ? 'unknown' : 'c'
  }

  #bounds(g: number): StackBounds {
    try {
      return { lo: this.memory.word(g), hi: this.memory.word(g + this.memory.ptrSize) }
    } catch {
      return { lo: 0, hi: 0 }
    }
  }

  /** The argument of time.Sleep, near the top of a goroutine's stack; only where it is known to be good still. */
  #sleepOf(g: Goroutine): number | undefined {
    let found: PhysicalFrame | undefined
    let count = 0
    unwind(this.context, this.#savedPosition(g), frame => {
      if (frame.func.name === 'time.Sleep') found = frame
      return found === undefined && ++count < 4
    })
    if (!found) return undefined
    const { arch } = this.context
    const text = formatArguments(this.memory, found.func, found.fp + arch.minFrameSize, symPC(found))
    return /^0x[0-9a-f]+$/.test(text) ? Number(text) : undefined
  }

  /** Enough of them to know the time by. */
  *#sampleOfGoroutines(): Generator<Goroutine> {
    let count = 0
    for (const g of this.goroutines()) {
      yield g
      if (++count >= 1 << 16) return
    }
  }

  #guarded<T>(g: Goroutine, fallback: T, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof MemoryFault || error instanceof UnsupportedError)) throw error
      this.#warnings.add(
        'goroutine-unreadable',
        `The goroutine at 0x${g.addr.toString(16)} could not be read: ${reasonOf(error)}.`,
      )
      return fallback
    }
  }
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

/** The version's own layout if goroutines are found by it; else the one that finds most. */
function chooseLayout(
  memory: Memory,
  modules: readonly ModuleData[],
  version: GoVersion | undefined,
  warnings: Warnings,
): { layout: RuntimeLayout; source: 'table' | 'guess'; allgs: Float64Array | undefined } {
  const known = version !== undefined && version.minor >= oldestMinor && version.minor <= newestMinor
  const wanted = new RuntimeLayout(version?.minor ?? newestMinor)
  const own = findAllgs(memory, wanted, modules)
  if (known && own) return { layout: wanted, source: 'table', allgs: own.addrs }
  let best = { layout: wanted, score: own ? plausible(memory, wanted, own.addrs) : 0, allgs: own?.addrs }
  for (let minor = newestMinor; minor >= oldestMinor; minor--) {
    const layout = new RuntimeLayout(minor)
    const found = minor === wanted.minor ? undefined : findAllgs(memory, layout, modules)
    const score = found ? plausible(memory, layout, found.addrs) : 0
    if (score > best.score) best = { layout, score, allgs: found?.addrs }
  }
  if (known && best.layout === wanted) return { layout: wanted, source: 'table', allgs: best.allgs }
  warnings.add(
    'layout-guessed',
    `The runtime's structures of ${version?.text ?? 'this unknown Go version'} are not known exactly; those of Go 1.${best.layout.minor} are used.`,
  )
  return { layout: best.layout, source: 'guess', allgs: best.allgs }
}

/** How many of the goroutines have an id and a status that can be. */
function plausible(memory: Memory, layout: RuntimeLayout, addrs: Float64Array): number {
  const offsets = new GOffsets(layout, memory.ptrSize)
  const ids = new Set<number>()
  for (const addr of addrs.subarray(0, 1000)) {
    try {
      const g = new Goroutine(memory, offsets, addr)
      if (g.statusName !== 'unknown' && g.id > 0 && g.id < 2 ** 40) ids.add(g.id)
    } catch {
      // Not plausible.
    }
  }
  return ids.size
}
