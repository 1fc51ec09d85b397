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
  readModule,
  type Symtab,
} from '../gosym/index.ts'
import { hasG, searchForGs } from './allgs.ts'
import { chooseLayout } from './choose-layout.ts'
import { findAllp, latestMoment } from './clock.ts'
import { type CreatedBy, createdBy } from './created-by.ts'
import { dataSlices } from './data-slices.ts'
import { findVersion, type GoVersion, parseGoVersion } from './go-version.ts'
import { readGodebug } from './godebug.ts'
import { GOffsets, Goroutine } from './goroutine.ts'
import { readLabels } from './labels.ts'
import { RuntimeLayout } from './layouts/layout.ts'
import { findMachines, linksHold, type Machine, threadG } from './machine.ts'
import { sleepOf } from './sleep.ts'
import { startOf } from './stack-start.ts'
import { type StateContext, stateText, waitedFor, waitReasonText } from './state-text.ts'
import { isSystemGoroutine } from './system-goroutine.ts'
import { type GoThread, matchThreads, threadStacks } from './thread.ts'
import { type Traceback, Tracebacker, type TracebackLimits } from './traceback.ts'
import type { UnwindContext } from './unwinder.ts'
import { readWaitReasons } from './wait-reasons.ts'

export type { CreatedBy } from './created-by.ts'

export interface RuntimeOptions {
  /** CLOCK_MONOTONIC at the crash in nanoseconds, where someone took it down. */
  readonly monotonicNow?: number
  readonly limits?: TracebackLimits
  /** Takes up what is missing, also where there is no Runtime to ask for its warnings. */
  readonly warnings?: Warnings
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
        warnings.add(
          'pclntab-missing',
          `${file.path} is a Go program whose table of functions could not be found.`,
        )
      continue
    }
    const buildInfo = findBuildInfo(file, image.memory) ?? findBuildInfo(file, image.pristineMemory())
    let version = buildInfo && parseGoVersion(buildInfo.goVersion)
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
    if (!version) {
      version = findVersion(image.memory, modules[0]!) ?? findVersion(image.pristineMemory(), modules[0]!)
      const { memory } = image
      if (version) modules = modules.flatMap(m => readModule(memory, m.addr, version!.minor) ?? m)
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

/** Every running program has a handful of goroutines of the runtime's own. */
const fewGoroutines = 4
/** Goroutines that are looked at for the time. */
const sampleSize = 1 << 13

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
  readonly #threadOfMachine: ReadonlyMap<number, GoThread>

  constructor(image: ProcessImage, { buildInfo, version, modules, warnings, options }: Found) {
    this.image = image
    this.memory = image.memory
    this.buildInfo = buildInfo
    this.version = version
    this.modules = modules
    this.#warnings = warnings
    this.symtab = openSymtab(image.memory, modules, warnings)
    const variables = modules.map(module => dataSlices(image.memory, module))
    const { layout, source, allgs } = chooseLayout(image.memory, variables, version, warnings)
    this.layout = layout
    this.layoutSource = source
    const goMinor = version?.minor ?? layout.minor
    this.context = { memory: image.memory, arch: image.arch, symtab: this.symtab, goMinor }
    this.tracebacker = new Tracebacker(this.context, options.limits)
    this.#offsets = new GOffsets(layout, image.arch.ptrSize)
    const threadGs = image.core.threads.map(thread => threadG(this.context, layout, thread))
    this.#allgs = this.#checkedAllgs(allgs)
    this.machines = this.#findMachines(layout, threadGs)
    if (!linksHold(this.machines)) {
      const earlier = new RuntimeLayout(layout.minor, 'earlier')
      const machines = this.#findMachines(earlier, threadGs)
      if (linksHold(machines)) {
        this.layout = earlier
        this.machines = machines
      }
    }
    this.threads = matchThreads(this.context, this.layout, image.core.threads, this.machines, threadGs)
    this.#threadOfMachine = new Map(this.threads.flatMap(t => (t.machine ? [[t.machine.addr, t]] : [])))
    const ps = findAllp(image.memory, layout, variables)
    this.gomaxprocs = ps.length
    this.#state = {
      memory: image.memory,
      layout,
      goMinor,
      waitReasons: readWaitReasons(image.memory, modules[0]!, goMinor),
      now: this.#now(ps, options),
      godebug: readGodebug(image, buildInfo),
    }
  }

  /** What someone took down, unless memory shows a later moment: then it was another clock's. */
  #now(ps: Float64Array, { monotonicNow }: RuntimeOptions): number | undefined {
    const { memory, layout, context } = this
    const shown = latestMoment(memory, layout, ps, this.#sampleOfGoroutines(), g => sleepOf(context, g))
    return monotonicNow !== undefined && monotonicNow >= (shown ?? 0) ? monotonicNow : shown
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

  /** Whether the runtime's traceback leaves it out below GOTRACEBACK=system. */
  isSystem(g: Goroutine): boolean {
    return this.#guarded(g, false, () => isSystemGoroutine(g, this.symtab, this.#state))
  }

  /** The thread that ran it when the program died. */
  threadOf(g: Goroutine): GoThread | undefined {
    const machine = this.#guarded(g, undefined, () => this.machines.get(g.m))
    return machine && machine.curg === g.addr ? this.#threadOfMachine.get(machine.addr) : undefined
  }

  createdBy(g: Goroutine): CreatedBy | undefined {
    return this.#guarded(g, undefined, () => createdBy(g, this.context))
  }

  /** The stack as the runtime would print it, from where the goroutine really was. */
  tracebackOf(g: Goroutine): Traceback {
    const nothing: Traceback = { frames: [], end: { kind: 'fault', addr: g.addr } }
    const traceback = this.#guarded(g, nothing, () => {
      const machine = this.machines.get(g.m)
      const thread = machine && this.#threadOfMachine.get(machine.addr)
      const { start, skip } = startOf(this.context, g, machine, thread)
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

  /**
   * The list that was found; or, where there is none, whatever in memory looks like a goroutine. A cut or rotten core may
   * lack the list and show another slice in its place: a short one is doubted. A program that died before its runtime was
   * up has a short one, and hardly any more in memory.
   */
  #checkedAllgs(found: Float64Array | undefined): Float64Array {
    if (found && found.length >= fewGoroutines) return this.#present(found)
    const searched = searchForGs(this.memory, this.layout, this.image.memory.regions)?.addrs
    const others = (searched?.length ?? 0) - (this.image.core.complete ? 4 * fewGoroutines : 0)
    if (found && found.length > others) return found
    this.#warnings.add(
      'allgs-missing',
      'The list of all goroutines could not be found; those listed were found by searching the memory.',
    )
    return searched ?? new Float64Array(0)
  }

  /** Those of the list that the core has. */
  #present(found: Float64Array): Float64Array {
    const present = found.filter(addr => hasG(this.memory, this.layout, addr))
    if (present.length < found.length)
      this.#warnings.add(
        'goroutines-missing',
        `The runtime lists ${found.length} goroutines, dead ones among them; ${found.length - present.length} of them are not in the core.`,
      )
    return present
  }

  /** Those that the threads know lead to all others; only where a thread's own is not among them all g's are asked. */
  #findMachines(layout: RuntimeLayout, threadGs: readonly number[]): ReadonlyMap<number, Machine> {
    const near = findMachines(this.context, layout, this.#machinesOf(threadGs))
    const procids = new Set([...near.values()].map(({ procid }) => procid))
    if (this.image.core.threads.every(({ tid }) => procids.has(tid))) return near
    return findMachines(this.context, layout, this.#machinesOf([...threadGs, ...this.#allgs]))
  }

  *#machinesOf(gs: Iterable<number>): Generator<number> {
    const at = this.layout.at('g.m')
    for (const g of gs)
      if (g !== 0 && this.memory.has(g + at, this.memory.ptrSize)) yield this.memory.word(g + at)
  }

  /** Enough of them to know the time by, from the oldest to the newest. */
  *#sampleOfGoroutines(): Generator<Goroutine> {
    const step = Math.ceil(this.#allgs.length / sampleSize)
    for (let i = 0; i < this.#allgs.length; i += step) {
      const g = this.#tryGoroutine(this.#allgs[i]!)
      if (g && !g.isDead) yield g
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
