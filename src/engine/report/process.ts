/** A dead process: the core, its files and its runtime, opened once and asked for parts or for the whole report. */
import type { ByteSource } from '../bytes/byte-source.ts'
import { openCoreFile } from '../core/core-file.ts'
import type { FileProvider } from '../core/file-provider.ts'
import { openProcessImage, type ProcessImage } from '../core/process-image.ts'
import { readSiginfo, type Siginfo, siginfoSize } from '../core/siginfo.ts'
import type { TouchedMemory } from '../core/touched-memory.ts'
import { type CFrame, CStacks, dwarfRegisters } from '../dwarf/c-stack.ts'
import { type GoDeath, openTypes, readGoDeath } from '../runtime/death.ts'
import { openRuntime, type Runtime, type RuntimeOptions } from '../runtime/runtime.ts'
import { descriptorContext, dynamicVariable } from '../value/descriptor-context.ts'
import { formatValue } from '../value/format.ts'
import { loadValue } from '../value/load.ts'
import type { TypeReader } from '../value/rtype.ts'
import { fullLimits } from '../value/value.ts'
import { cDeath, type DeathFacts, goDeath } from './death.ts'
import { coreFacts, goFacts, programFacts } from './facts.ts'
import { cFault, goFault, type ProcessFault } from './fault.ts'
import { Groups, isNotable, toGoroutine } from './goroutines.ts'
import { mapRivals } from './map-rivals.ts'
import { type PanicOrigin, panicOrigins } from './panic-types.ts'
import { goPlace, oneLine, ownershipOf } from './place.ts'
import { type Death, type Frame, type Goroutine, type Report, reportVersion, type Thread } from './report.ts'
import { signatureOf } from './signature.ts'
import { contextFrames, cThread, cutStacks, goThread } from './threads.ts'
import { type VerdictContext, verdictOf } from './verdict.ts'

export interface AnalyseOptions extends RuntimeOptions {
  /**
   * How many goroutines the report lists; all of them are counted and grouped. The guilty and the main one are always
   * listed.
   */
  readonly maxGoroutines?: number
  readonly maxThreads?: number
  /** Takes down what is read of the process's memory. */
  readonly touched?: TouchedMemory
}

export const defaultMaxGoroutines = 2000
const defaultMaxThreads = 1000
const maxNotable = 64
/** A verdict is a sentence. */
const maxValueText = 400
const verdictLimits = { ...fullLimits, depth: 4, items: 16, fields: 32, text: 1024, values: 256 }

/** Throws FormatError where it is no core, MismatchError where the executable is another program's. */
export function openCore(core: ByteSource, files: FileProvider, options: AnalyseOptions = {}): Process {
  const image = openProcessImage(openCoreFile(core), files, options.touched)
  return new Process(image, openRuntime(image, options), options)
}

/** The whole report of a core. */
export function analyse(core: ByteSource, files: FileProvider, options: AnalyseOptions = {}): Report {
  return openCore(core, files, options).report()
}

export class Process {
  readonly image: ProcessImage
  /** Absent for a program that is not Go. */
  readonly runtime: Runtime | undefined
  readonly #options: AnalyseOptions
  #types: TypeReader | undefined
  #goDeath: GoDeath | undefined
  #stacks: CStacks | undefined

  constructor(image: ProcessImage, runtime: Runtime | undefined, options: AnalyseOptions) {
    this.image = image
    this.runtime = runtime
    this.#options = options
  }

  /** All goroutines that are not dead, one at a time. */
  *goroutines(): Generator<Goroutine> {
    if (!this.runtime) return
    for (const g of this.runtime.goroutines()) yield toGoroutine(this.runtime, g, this.types)
  }

  /** The kernel's threads, the one that died first. */
  *threads(): Generator<Thread> {
    if (this.runtime)
      for (const thread of this.runtime.threads) yield goThread(this.runtime, thread, this.stacks)
    else for (const thread of this.image.core.threads) yield cThread(thread, this.stacks)
  }

  /** The goroutine that died, where one did, without a look at the others. */
  guilty(): Goroutine | undefined {
    const g = this.#death?.goroutine
    return g && toGoroutine(this.runtime!, g, this.types)
  }

  /** The instruction that the hardware refused, where one was the cause. */
  fault(): ProcessFault | undefined {
    if (this.runtime && this.#death) return goFault(this.runtime, this.#death)
    const { facts, walked } = this.#cDeath()
    return cFault(
      facts,
      this.image.core.threads.find(thread => thread.crashed),
      walked,
    )
  }

  /** What was running, without a look at what it was doing. */
  facts(): Pick<Report, 'core' | 'program' | 'go'> {
    const { image, runtime } = this
    return {
      core: coreFacts(image),
      program: programFacts(image, runtime),
      ...(runtime ? { go: goFacts(runtime) } : {}),
    }
  }

  get stacks(): CStacks {
    this.#stacks ??= new CStacks(this.image)
    return this.#stacks
  }

  get types(): TypeReader | undefined {
    if (this.runtime) this.#types ??= openTypes(this.runtime)
    return this.#types
  }

  /** `maxGoroutines`: for this report, in place of the option. */
  report(maxGoroutines: number = this.#options.maxGoroutines ?? defaultMaxGoroutines): Report {
    const { runtime, image } = this
    const goroutines: Goroutine[] = []
    // Not listed, but a verdict may speak of them.
    const notable: Goroutine[] = []
    let goroutineCount = 0
    const groups = runtime && new Groups(runtime)
    const guilty = this.#death?.goroutine?.addr
    for (const g of runtime?.goroutines() ?? []) {
      const traceback = runtime!.tracebackOf(g)
      groups!.add(g, traceback)
      goroutineCount++
      const listed = goroutines.length < maxGoroutines || g.addr === guilty || g.id === 1
      if (!listed && !(notable.length < maxNotable && isNotable(g, traceback))) continue
      const goroutine = toGoroutine(runtime!, g, this.types, traceback)
      if (listed) goroutines.push(goroutine)
      else notable.push(goroutine)
    }
    const threads = [...this.threads()].slice(0, this.#options.maxThreads ?? defaultMaxThreads)
    const { death, frames } = this.#judge({
      goroutines: [...goroutines, ...notable],
      goroutineCount,
      groups,
    })
    return {
      schema: 'gocore-report',
      version: reportVersion,
      core: coreFacts(image),
      program: programFacts(image, runtime),
      ...(runtime ? { go: goFacts(runtime) } : {}),
      death,
      goroutineCount,
      goroutines,
      goroutinesOmitted: goroutineCount - goroutines.length,
      groups: groups?.list() ?? [],
      threads,
      signature: signatureOf(death, frames),
      warnings: [...image.warnings, ...(runtime?.warnings ?? []), ...cutStacks(threads)],
    }
  }

  get #death(): GoDeath | undefined {
    if (this.runtime && this.types) this.#goDeath ??= readGoDeath(this.runtime, this.types)
    return this.#goDeath
  }

  /** The death, with the frames that its signature is made of. */
  #judge(found: { goroutines: readonly Goroutine[]; goroutineCount: number; groups: Groups | undefined }): {
    death: Death
    frames: readonly Frame[]
  } {
    const { runtime } = this
    const info = runtime?.buildInfo
    const modules = [...(info?.main ? [info.main] : []), ...(info?.deps ?? [])]
    const isOwn = ownershipOf(modules.map(({ path }) => path))
    const context = {
      states: found.groups?.states() ?? new Map<string, number>(),
      panicking: panickingText(found.goroutines),
      waits: () => found.groups?.waits(isOwn) ?? new Map<string, number>(),
      goroutineCount: found.goroutineCount,
      executable: this.image.executable !== undefined,
      isOwn,
    }
    if (!runtime || !this.types) {
      const { facts, frames, interrupted } = this.#cDeath()
      return {
        death: withVerdict(facts, { ...context, frames, ...(interrupted ? { interrupted } : {}) }),
        frames,
      }
    }
    const death = this.#death!
    const origins = panicOrigins(runtime, this.types, death)
    const facts = goDeath(
      this.image,
      death,
      new Map([...origins].map(([panic, { type }]) => [panic, type.name])),
    )
    const frames = this.#guiltyFrames(death, facts, found.goroutines)
    const guilty = found.goroutines.find(({ id }) => id === facts.goroutine)
    const rivals = mapRivals(guilty, found.goroutines)
      .slice(0, 3)
      .map(g => `goroutine ${g.id} in ${goPlace({ ...context, frames: g.frames }) ?? 'unknown code'}`)
    return {
      death: withVerdict(facts, { ...context, frames, rivals, ...this.#value(death, origins) }),
      frames,
    }
  }

  /** The stack that says why: the goroutine's, or the thread's where it died outside of Go code. */
  #guiltyFrames(
    death: GoDeath,
    { goroutine, message }: DeathFacts,
    listed: readonly Goroutine[],
  ): readonly Frame[] {
    const onThread = death.thread?.contexts.at(-1)
    if (this.runtime && death.kind === 'signal' && onThread && onThread.stack !== 'goroutine') {
      const frames = contextFrames(this.runtime, death.thread!, onThread, this.stacks)
      const id = listed.find(({ id }) => id === goroutine)
      return [...frames, ...(id?.frames ?? [])]
    }
    // A deadlock is noticed by no goroutine; the main one stands for the program.
    const id = goroutine ?? (message.includes('deadlock') ? 1 : undefined)
    return listed.find(g => g.id === id)?.frames ?? []
  }

  /** What the newest panic was given, in more words than the message has. */
  #value(death: GoDeath, origins: ReadonlyMap<unknown, PanicOrigin>): { value?: string; type?: string } {
    const newest = death.panics.findLast(({ goexit }) => !goexit)
    const origin = newest && origins.get(newest)
    if (!newest || !this.types) return {}
    if (origin && origin.type.addr !== newest.value.type?.addr) return { type: origin.type.name }
    const type = newest.value.type
    if (!type || !newest.value.text.startsWith('(')) return type ? { type: type.name } : {}
    const data = { word: newest.value.data, addr: origin?.addr ?? 0 }
    if (type.pointerShaped && !origin) return { type: type.name }
    const context = descriptorContext(this.types, { goMinor: this.runtime!.context.goMinor })
    const text = formatValue(loadValue(context, dynamicVariable(context, type, data), verdictLimits))
    return { value: text.length > maxValueText ? `${text.slice(0, maxValueText)}…` : text, type: type.name }
  }

  #cDeath(): {
    facts: DeathFacts
    frames: readonly Frame[]
    walked: readonly CFrame[]
    interrupted?: readonly Frame[]
  } {
    const crashed = this.image.core.threads.find(thread => thread.crashed)
    const walked = crashed ? [...this.stacks.walk(dwarfRegisters(name => crashed.registers.get(name)))] : []
    const at = walked.findLastIndex(({ by }) => by === 'signal-frame')
    const siginfo = at < 0 ? undefined : this.#siginfoBefore(walked[at - 1]!)
    const origin = siginfo ? { frame: walked[at]!, siginfo } : undefined
    const frames = crashed ? cThread(crashed, this.stacks).frames : []
    const facts = cDeath(this.image, origin)
    if (origin) return { facts, frames: frames.slice(at), walked }
    // A handler without SA_SIGINFO: the kernel left no word of the signal.
    return at < 0 ? { facts, frames, walked } : { facts, frames, walked, interrupted: frames.slice(at) }
  }

  /** The trampoline's stack pointer is at the ucontext, with the siginfo a fixed way behind. */
  #siginfoBefore(trampoline: CFrame): Siginfo | undefined {
    const { arch, memory } = this.image
    const addr = trampoline.sp + arch.sigframeSiginfo - arch.sigframeUcontext
    const bytes = memory.tryRead(addr, siginfoSize)
    const info = bytes && readSiginfo(bytes, arch)
    return info && info.signo > 0 && info.signo <= 64 ? info : undefined
  }
}

/** A goroutine whose panic has not come to its end: deferred calls go on, and may never end. */
function panickingText(goroutines: readonly Goroutine[]): string | undefined {
  for (const { id, panics = [] } of goroutines) {
    const newest = panics.findLast(({ goexit, recovered }) => !goexit && !recovered)
    if (newest)
      return `goroutine ${id} had panicked (${oneLine(newest.text)}) and was still in its deferred calls`
  }
  return undefined
}

function withVerdict(facts: DeathFacts, context: VerdictContext): Death {
  const { kind, message, ...rest } = facts
  return { kind, message, verdict: verdictOf(facts, context), ...rest }
}
