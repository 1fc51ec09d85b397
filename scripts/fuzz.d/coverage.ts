/**
 * Which code an input reached, and how often: modules below src/ get counters as they are loaded (`instrument.ts`). An input
 * is new where it comes to a place for the first time, or more often than any other did, by powers of two. Where nothing was
 * instrumented, nothing is ever new.
 */
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { countersName, instrument } from './instrument.ts'

interface Module {
  /** Below src/. */
  readonly path: string
  readonly base: number
  readonly lines: readonly number[]
  readonly words: readonly (string | bigint)[]
}

/** All of src/ has a third of these. */
const mostCounters = 1 << 16
const modules: Module[] = []
const counters = new Uint32Array(mostCounters)
let used = 0

/** To be called before what is to be measured is imported. */
export function instrumentSources(): void {
  const ours = pathToFileURL(`${join(import.meta.dirname, '../../src')}/`).href
  Object.assign(globalThis, { [countersName]: counters })
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith(ours) || !url.endsWith('.ts')) return next(url, context)
      const { source } = next(url, { ...context, format: 'module-typescript' })
      const { text, lines, words } = instrument(stripTypeScriptTypes(String(source)), used)
      if (used + lines.length > mostCounters) throw new Error(`more than ${mostCounters} counters`)
      modules.push({ path: url.slice(ours.length), base: used, lines, words })
      used += lines.length
      return { format: 'module', source: text, shortCircuit: true }
    },
  })
}

/** What has been reached by all inputs so far. */
export class Coverage {
  /** For each counter a bit for each power of two that it has come to. */
  readonly #seen = new Uint32Array(mostCounters)
  #places = 0

  /** Places reached. */
  get places(): number {
    return this.#places
  }

  /** Of each module of which anything was reached: the line of each place, negative where none came to it. */
  modules(): ModulePlaces[] {
    return modules
      .map(({ path, base, lines }) => ({
        path,
        lines: lines.map((line, at) => (this.#seen[base + at] === 0 ? -line : line)),
      }))
      .filter(({ lines }) => lines.some(line => line > 0))
  }

  /** Runs `action` and answers what was new: places, each with the power of two that it came to. */
  of(action: () => void): Feature[] {
    counters.fill(0, 0, used)
    action()
    const fresh: Feature[] = []
    for (let i = 0; i < used; i++) {
      const count = counters[i]!
      if (count === 0) continue
      const bit = powerOf(count)
      const seen = this.#seen[i]!
      if ((seen & bit) !== 0) continue
      if (seen === 0) this.#places++
      this.#seen[i] = seen | bit
      fresh.push([i, bit])
    }
    return fresh
  }
}

export interface ModulePlaces {
  /** Below src/. */
  readonly path: string
  readonly lines: readonly number[]
}

type Feature = readonly [counter: number, bit: number]

const powerOf = (count: number): number => 1 << (31 - Math.clz32(count))

/** Whether `action` comes to all of these. */
export function reaches(features: readonly Feature[], action: () => void): boolean {
  counters.fill(0, 0, used)
  action()
  return features.every(([counter, bit]) => powerOf(counters[counter]!) === bit)
}

/** The words of the modules that have been at work since the counters were set to zero. */
export function wordsAtWork(): (string | bigint)[] {
  const words = new Set<string | bigint>()
  for (const { base, lines, words: own } of modules)
    if (counters.subarray(base, base + lines.length).some(count => count > 0))
      for (const word of own) words.add(word)
  return [...words]
}
