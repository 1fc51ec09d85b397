/** A goroutine as a debugger lists it: four places that tell it apart, found when they are asked for. */
import type { Goroutine } from '../runtime/goroutine.ts'
import type { CreatedBy, Runtime } from '../runtime/runtime.ts'
import type { Traceback, TracebackFrame } from '../runtime/traceback.ts'

export interface CodeLocation {
  readonly function: string
  readonly file: string
  readonly line: number
  readonly pc: number
}

export class GoroutineView {
  readonly g: Goroutine
  readonly id: number
  readonly #runtime: Runtime
  #traceback: Traceback | undefined

  constructor(runtime: Runtime, g: Goroutine) {
    this.#runtime = runtime
    this.g = g
    this.id = g.id
  }

  /** As the runtime prints it between the brackets. */
  get state(): string {
    return this.#runtime.stateOf(this.g)
  }

  /** Kernel thread that ran it. */
  get thread(): number | undefined {
    return this.#runtime.threadOf(this.g)?.thread.tid
  }

  get labels(): readonly (readonly [key: string, value: string])[] {
    return this.#runtime.labelsOf(this.g)
  }

  /** The runtime's own. */
  get system(): boolean {
    return this.#runtime.isSystem(this.g)
  }

  get traceback(): Traceback {
    this.#traceback ??= this.#runtime.tracebackOf(this.g)
    return this.#traceback
  }

  get frames(): readonly TracebackFrame[] {
    return this.traceback.frames
  }

  /** As the runtime's traceback ends; none for those that it started itself. */
  get creator(): CreatedBy | undefined {
    return this.#runtime.createdBy(this.g)
  }

  /** The innermost frame. */
  get current(): CodeLocation | undefined {
    return this.frames[0]
  }

  /** The innermost frame that is not inside the runtime. */
  get user(): CodeLocation | undefined {
    return this.frames.find(({ hidden }) => !hidden) ?? this.frames[0]
  }

  /** The go statement. */
  get created(): CodeLocation | undefined {
    return this.#at(this.g.gopc, true)
  }

  /** The function that it was started with. */
  get start(): CodeLocation | undefined {
    return this.#at(this.g.startpc, false)
  }

  #at(pc: number, call: boolean): CodeLocation | undefined {
    const func = pc === 0 ? undefined : this.#runtime.symtab.findFunc(pc)
    if (!func) return undefined
    return { function: func.name, ...func.lineAt(call && pc > func.entry ? pc - 1 : pc), pc }
  }
}
