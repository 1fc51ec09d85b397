/** Prometheus's text exposition format, version 0.0.4: counters, gauges and histograms, and the text that a scraper reads. */

type Labels = Readonly<Record<string, string>>

/** Lines of one metric, with its help and type before them. */
export interface Family {
  text(): string
}

/** One number for each set of labels; a counter only grows. */
export class Values implements Family {
  readonly #head: string
  readonly #name: string
  readonly #values = new Map<string, number>()

  constructor(name: string, type: 'counter' | 'gauge', help: string) {
    this.#name = name
    this.#head = headOf(name, type, help)
  }

  /** Begins at 0, so that the first step is seen as one. */
  declare(labels: Labels = {}): this {
    return this.add(0, labels)
  }

  add(by = 1, labels: Labels = {}): this {
    const key = formatLabels(labels)
    this.#values.set(key, (this.#values.get(key) ?? 0) + by)
    return this
  }

  /** Undefined where it is not known: the line is left out. */
  set(value: number | undefined, labels: Labels = {}): this {
    if (value === undefined) this.#values.delete(formatLabels(labels))
    else this.#values.set(formatLabels(labels), value)
    return this
  }

  text(): string {
    return (
      this.#head + [...this.#values].map(([labels, value]) => `${this.#name}${labels} ${value}\n`).join('')
    )
  }
}

/** How many values were at most as large as each bound, and their sum. */
export class Histogram implements Family {
  readonly #name: string
  readonly #head: string
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#head = headOf(name, 'histogram', help)
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    for (const [at, bound] of this.#bounds.entries()) if (value <= bound) this.#counts[at]!++
    this.#sum += value
    this.#count++
  }

  text(): string {
    const buckets = this.#bounds.map(
      (bound, at) => `${this.#name}_bucket{le="${bound}"} ${this.#counts[at]}\n`,
    )
    return [
      this.#head,
      ...buckets,
      `${this.#name}_bucket{le="+Inf"} ${this.#count}\n`,
      `${this.#name}_sum ${this.#sum}\n`,
      `${this.#name}_count ${this.#count}\n`,
    ].join('')
  }
}

const headOf = (name: string, type: string, help: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeValue(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapeValue = (text: string): string =>
  text.replace(/[\\"\n]/g, char => (char === '\n' ? '\\n' : `\\${char}`))
