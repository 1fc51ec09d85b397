/**
 * Tries inputs of one target in a process of its own. Before each it writes it to descriptor 3, so that the parent knows
 * which one a hang or a crash was. `worker.ts ORDER`, JSON of `WorkerOrder`.
 */
import { writeSync } from 'node:fs'
import { instrumentSources, type ModulePlaces } from './coverage.ts'
import { type Damage, formatDamage, parseDamage } from './damage.ts'
import { limits } from './limits.ts'
import { randomFrom } from './random.ts'
import type { Outcome } from './trial.ts'

export interface WorkerOrder {
  readonly target: string
  readonly seed: number
  /** Inputs at most. */
  readonly count: number
  /** Of processor time. */
  readonly seconds: number
  /** Led by what inputs reach. */
  readonly guided: boolean
  /** The one input to try. */
  readonly only?: string
  /** No new inputs: those that are worth it become the ones that the repository carries. */
  readonly cover?: true
  /** No new inputs: what those that there are come to is told. */
  readonly unreached?: true
}

/** What a worker says of itself at its end, as JSON, its only line on standard output. */
export interface WorkerResult {
  inputs: number
  values: number
  errors: number
  slowestMs: number
  grownMb: number
  places: number
  kept: number
  finds: { input: string; why: string }[]
  /** There is nothing here to make its inputs of. */
  empty: boolean
  /** Where that was asked for. */
  modules?: readonly ModulePlaces[]
}

const order = JSON.parse(process.argv[2]!) as WorkerOrder
if (order.guided) instrumentSources()

// Behind the instrumentation.
const { Coverage } = await import('./coverage.ts')
const { writeCover } = await import('./cover.ts')
const { Search } = await import('./search.ts')
const { targets } = await import('./targets.ts')
const { peak, seedOf, tryInput } = await import('./trial.ts')

const target = targets.find(({ name }) => name === order.target)!
const coverage = new Coverage()
const result: WorkerResult = {
  ...{
    inputs: 0,
    values: 0,
    errors: 0,
    slowestMs: 0,
    grownMb: 0,
    places: 0,
    kept: 0,
    finds: [],
    empty: false,
  },
}
const known = new Set<string>()
const times = order.guided ? limits.counted : 1
const base = peak()
const options = {
  ...{ target, coverage, times },
  onTry: (damage: Damage) => writeSync(3, `${formatDamage(damage)}\n`),
  onOutcome: (damage: Damage, outcome: Outcome) => told(formatDamage(damage), outcome),
}
if (order.cover) {
  result.kept = writeCover(options)
  result.places = coverage.places
} else if (order.only === undefined) search()
else {
  const damage = parseDamage(order.only)
  told(order.only, tryInput(target, seedOf(target.seeds(), damage), damage, times))
}
result.grownMb = Math.round(peak() - base)
process.stdout.write(`${JSON.stringify(result)}\n`)

function search(): void {
  const found = new Search({ ...options, random: randomFrom(order.seed) })
  result.empty = found.isEmpty
  if (found.isEmpty) return
  const end = process.cpuUsage()
  found.begin()
  if (order.unreached) result.modules = coverage.modules()
  const isOver = (): boolean => {
    const { user, system } = process.cpuUsage(end)
    return order.unreached === true || result.inputs >= order.count || (user + system) / 1e6 >= order.seconds
  }
  while (!isOver()) found.step()
  result.kept = found.kept
  result.places = coverage.places
}

function told(input: string, { kind, why, ms }: Outcome): void {
  result.inputs++
  result.slowestMs = Math.max(result.slowestMs, Math.round(ms))
  if (kind === 'value') result.values++
  else if (kind === 'error') result.errors++
  else {
    // The same again says nothing new.
    const what = why!
      .split('\n')
      .filter(line => !line.includes('/fuzz.d/'))
      .slice(0, 4)
      .join('\n')
    const kindOf = what.replace(/[0-9]+/g, '0')
    if (known.has(kindOf) || known.size >= 20) return
    known.add(kindOf)
    result.finds.push({ input, why: what })
  }
}
