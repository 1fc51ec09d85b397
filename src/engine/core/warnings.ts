/** What was left out, and why: the engine's answer to half-missing input. */

export interface Warning {
  /** Stable, kebab-case: `core-truncated`, `stack-unreadable`, … */
  readonly code: string
  readonly message: string
}

/** Collects warnings; of each code at most a handful, with a count of the others. */
export class Warnings {
  readonly #kept = new Map<string, { messages: Set<string>; more: number }>()
  readonly #each: number

  constructor(each = 8) {
    this.#each = each
  }

  add(code: string, message: string): void {
    let entry = this.#kept.get(code)
    if (!entry) {
      entry = { messages: new Set(), more: 0 }
      this.#kept.set(code, entry)
    }
    if (entry.messages.has(message)) return
    if (entry.messages.size < this.#each) entry.messages.add(message)
    else entry.more++
  }

  list(): Warning[] {
    const warnings: Warning[] = []
    for (const [code, { messages, more }] of this.#kept) {
      for (const message of messages) warnings.push({ code, message })
      if (more > 0) warnings.push({ code, message: `${more} more of the kind ${code}.` })
    }
    return warnings
  }
}
