/**
 * Whether the archive answers at all: work is begun only when it has answered a question that a thread of the pool asks,
 * which hangs in our stead. So what else there is to do goes on; and of work that storage stops in the midst of a call
 * there is the least (see `vigil.ts`).
 */
import { statfs } from 'node:fs/promises'

export class Liveness {
  readonly #path: string
  #asked: Promise<void> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Resolves when storage has answered, be it with an error: whoever works with it will meet that. */
  answers(): Promise<void> {
    this.#asked ??= statfs(this.#path).then(
      () => this.#answered(),
      () => this.#answered(),
    )
    return this.#asked
  }

  #answered(): void {
    this.#asked = undefined
  }
}
