/**
 * The search for inputs that lead somewhere: each that reaches what none reached before is kept, and more are made of it.
 * The idea is that of AFL and libFuzzer; an input here is a seed and its edits, so that cores and executables of many
 * megabytes are searched like small files.
 */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import { carried, grown, keep, mended } from './corpus.ts'
import { type Coverage, reaches, wordsAtWork } from './coverage.ts'
import type { Damage } from './damage.ts'
import { mutate, type Range } from './mutate.ts'
import { pick, type Random } from './random.ts'
import type { Seed, Target } from './target.ts'
import { type Outcome, seedOf, tryInput } from './trial.ts'

interface Entry {
  readonly damage: Damage
  readonly seed: Seed
  /** Milliseconds that it takes. */
  readonly ms: number
  chosen: number
}

export interface SearchOptions {
  readonly target: Target
  readonly coverage: Coverage
  readonly random: Random
  /** What limits of time are multiplied by. */
  readonly times: number
  /** Told of each input before it is tried. */
  readonly onTry: (damage: Damage) => void
  readonly onOutcome: (damage: Damage, outcome: Outcome) => void
}

/** Damage of so many edits is looked through for those that it takes. */
const mostTrims = 12
/** Places that a parser looked at, kept for each seed. */
const mostSeen = 4096

export class Search {
  readonly #options: SearchOptions
  readonly #seeds: readonly Seed[]
  readonly #seen = new Map<string, readonly Range[]>()
  readonly #entries: Entry[] = []
  #words: readonly Uint8Array[] = []

  constructor(options: SearchOptions) {
    this.#options = options
    this.#seeds = options.target.seeds()
    const names = new Set(this.#seeds.map(({ source }) => source.name))
    if (names.size < this.#seeds.length)
      throw new Error(`two seeds of ${options.target.name} have one name, by which damage is told`)
  }

  /** Inputs that led somewhere, seeds included. */
  get kept(): number {
    return this.#entries.length
  }

  get isEmpty(): boolean {
    return this.#seeds.length === 0
  }

  /** Tries the seeds, and what earlier runs have kept. */
  begin(): void {
    for (const seed of this.#seeds) {
      const looked = recorded(seed)
      const damage = { seed: seed.source.name, edits: [] }
      this.#options.coverage.of(() => this.#try(damage, { ...seed, source: looked.source }))
      this.#seen.set(seed.source.name, looked.ranges)
      this.#words = [...new Set([...this.#words, ...wordsAtWork().map(bytesOfWord)])]
      this.#entries.push({ damage, seed, ms: 1, chosen: 0 })
    }
    const { name } = this.#options.target
    for (const damage of [...mended(name), ...carried(name), ...grown(name)])
      if (this.#seeds.some(({ source }) => source.name === damage.seed)) this.#consider(damage, false)
  }

  /** Tries one more. */
  step(): void {
    const { random } = this.#options
    const entry = this.#choose()
    const { seed, damage } = entry
    entry.chosen++
    const others = this.#entries.filter(other => other.seed === seed).map(other => other.damage)
    const next = mutate(damage, {
      ...{ random, others, source: seed.source, hot: seed.hot ?? [], words: this.#words },
      seen: this.#seen.get(seed.source.name) ?? [],
    })
    this.#consider(next, true)
  }

  /** Cheap ones that were seldom chosen come first. */
  #choose(): Entry {
    const { random } = this.#options
    let best = pick(this.#entries, random)
    for (let n = 0; n < 3; n++) {
      const other = pick(this.#entries, random)
      if ((other.chosen + 1) * (other.ms + 0.1) < (best.chosen + 1) * (best.ms + 0.1)) best = other
    }
    return best
  }

  #consider(damage: Damage, isOurs: boolean): void {
    const seed = seedOf(this.#seeds, damage)
    let outcome: Outcome | undefined
    const fresh = this.#options.coverage.of(() => {
      outcome = this.#try(damage, seed)
    })
    if (fresh.length === 0 || outcome === undefined || outcome.kind === 'find') return
    const trimmed = isOurs ? this.#trim(damage, seed, fresh) : damage
    this.#entries.push({ damage: trimmed, seed, ms: outcome.ms, chosen: 0 })
    if (isOurs) keep(this.#options.target.name, trimmed)
  }

  /** Without the edits that it does not take. */
  #trim(damage: Damage, seed: Seed, features: Parameters<typeof reaches>[0]): Damage {
    let left = damage
    if (damage.edits.length > mostTrims) return damage
    for (const edit of damage.edits) {
      const less = { ...left, edits: left.edits.filter(other => other !== edit) }
      if (left.edits.length > 1 && reaches(features, () => void this.#try(less, seed))) left = less
    }
    return left
  }

  #try(damage: Damage, seed: Seed): Outcome {
    const { target, times, onTry, onOutcome } = this.#options
    onTry(damage)
    const outcome = tryInput(target, seed, damage, times)
    onOutcome(damage, outcome)
    return outcome
  }
}

/** The seed's source, and where it has been looked at since. */
function recorded({ source }: Seed): { source: ByteSource; ranges: Range[] } {
  const ranges: Range[] = []
  const read = (offset: number, length: number): Uint8Array => {
    if (ranges.length < mostSeen && offset >= 0 && offset < source.size)
      ranges.push([offset, Math.min(source.size, offset + Math.min(length, 256))])
    return source.read(offset, length)
  }
  return { ranges, source: { name: source.name, size: source.size, read } }
}

function bytesOfWord(word: string | bigint): Uint8Array {
  if (typeof word === 'string') return new Uint8Array(Buffer.from(word))
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setBigUint64(0, word, true)
  const width = word < 0x100n ? 1 : word < 0x10000n ? 2 : word < 0x1_0000_0000n ? 4 : 8
  return new Uint8Array(bytes.buffer, 0, width)
}
