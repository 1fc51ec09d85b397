/**
 * Whether storage answers at all. The daemon's own calls wait for it in its one thread: on a hard mount whose server is
 * gone, signals, the socket and the watchdog would wait with them. So work is begun only when storage has answered a
 * question that a thread of the pool asks, which hangs in the daemon's stead. Storage that falls silent in the midst of a
 * call still holds up the daemon, until it answers or the watchdog ends it.
 */
import { statfs } from 'node:fs/promises'

export interface LivenessOptions {
  /** Told once of a question without an answer, and once of the answer. */
  readonly onSilence?: (isSilent: boolean) => void
  /** What is silence, milliseconds. */
  readonly patience?: number
}

export class Liveness {
  readonly #path: string
  readonly #options: LivenessOptions
  #asked: Promise<void> | undefined

  constructor(path: string, options: LivenessOptions = {}) {
    this.#path = path
    this.#options = options
  }

  /** Resolves when storage has answered, be it with an error. */
  answers(): Promise<void> {
    this.#asked ??= this.#ask()
    return this.#asked
  }

  async #ask(): Promise<void> {
    const { onSilence, patience = 20_000 } = this.#options
    let isSilent = false
    const timer = setTimeout(() => {
      isSilent = true
      onSilence?.(true)
    }, patience).unref()
    try {
      // NFS and FUSE have no cache for it: the server answers, or nobody does.
      await statfs(this.#path)
    } catch {
      // Whoever works with it will meet the error.
    } finally {
      clearTimeout(timer)
      this.#asked = undefined
    }
    if (isSilent) onSilence?.(false)
  }
}
