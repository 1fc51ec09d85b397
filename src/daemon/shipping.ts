/** When the spool is looked through: one at a time, beside all other work, again and again after a failure. */
import type { DumpRef, LocalStore } from '../archive/index.ts'
import type { Leases } from '../archive/lease.ts'
import { reasonOf } from '../base/errors.ts'
import { type ShipOptions, shipSpool } from './ship.ts'

export interface ShippingOptions {
  spool: () => LocalStore
  archive: LocalStore
  leases: Leases
  /** Bytes a second; null for as fast as it goes. */
  rate: () => number | null
  /** Resolves when the archive can be expected to answer. */
  answers: () => Promise<void>
  onHome: (ref: DumpRef) => void
  onFailed: (ref: DumpRef, why: string) => void
  /** It stays where it is until somebody sees to it. */
  onApart: (ref: DumpRef, why: string) => void
  onProblem: (sentence: string) => void
  /** Of the spool, as `shipSpool` has them. */
  onBroken?: ShipOptions['onBroken']
  onUnlisted?: ShipOptions['onUnlisted']
  /** Milliseconds to the next attempt after a failure: doubled with each, up to the most. */
  pause?: Pause
}

interface Pause {
  readonly first: number
  readonly most: number
}

const usual: Pause = { first: 5_000, most: 10 * 60_000 }

export class Shipping {
  readonly #options: ShippingOptions
  readonly #stopping = new AbortController()
  #run: Promise<void> | undefined
  #again = false
  readonly #pauses: Pause
  #pause: number
  #timer: NodeJS.Timeout | undefined

  constructor(options: ShippingOptions) {
    this.#options = options
    this.#pauses = options.pause ?? usual
    this.#pause = this.#pauses.first
  }

  /** Begins unless it is under way, or waits after a failure. */
  look(): void {
    if (this.#stopping.signal.aborted || this.#timer !== undefined) return
    if (this.#run !== undefined) {
      this.#again = true
      return
    }
    this.#again = false
    this.#run = this.#ship().then(failed => {
      this.#run = undefined
      if (failed) this.#wait()
      else {
        this.#pause = this.#pauses.first
        if (this.#again) this.look()
      }
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#run
  }

  #wait(): void {
    if (this.#stopping.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.look()
    }, this.#pause).unref()
    this.#pause = Math.min(this.#pauses.most, this.#pause * 2)
  }

  async #ship(): Promise<boolean> {
    const { spool, archive, leases, rate, answers, onBroken, onUnlisted } = this.#options
    const { onHome, onFailed, onApart, onProblem } = this.#options
    let anyFailed = false
    try {
      const { signal } = this.#stopping
      for (const { ref, failed, apart } of await shipSpool(spool(), archive, {
        ...{ signal, rate: rate(), leases, answers, onBroken, onUnlisted },
      })) {
        anyFailed ||= failed !== undefined
        if (apart !== undefined) onApart(ref, apart)
        else if (failed === undefined) onHome(ref)
        else if (!signal.aborted) onFailed(ref, failed)
      }
    } catch (error) {
      anyFailed = true
      onProblem(`Could not look through the spool, trying again later: ${reasonOf(error)}`)
    }
    return anyFailed
  }
}
