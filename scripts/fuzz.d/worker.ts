/**
 * Runs damaged inputs of one target in a process of its own. Before each it writes the input's number to descriptor 3,
 * so that the parent knows which one a hang or a crash was. `worker.ts TARGET SEED FIRST COUNT SECONDS`.
 */
import { writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { SinkError } from '../../src/base/errors.ts'
import { limits } from './limits.ts'
import { mutate, randomFrom } from './mutate.ts'
import { targets } from './targets.ts'

const [name, seed, first, count, seconds] = process.argv.slice(2)
const target = targets.find(t => t.name === name)!
const seeds = target.seeds()
const megabytes = 1024 * 1024
/** Of the process, at most. */
const peak = (): number => process.resourceUsage().maxRSS / 1024
const held = (): number => process.memoryUsage.rss() / megabytes
const base = peak()
const end = performance.now() + Number(seconds) * 1000
const outcomes = { value: 0, error: 0 }
let slowest = 0
let n = Number(first)
for (; n < Number(first) + Number(count) && performance.now() < end; n++) {
  writeSync(3, `${n}\n`)
  const random = randomFrom(Number(seed) * 1_000_003 + n)
  const chosen = seeds[random(seeds.length)]!
  const damaged = mutate(chosen.source, random, chosen.hot)
  const [before, memory, most] = [process.cpuUsage(), held(), peak()]
  try {
    target.run(damaged, chosen)
    outcomes.value++
  } catch (error) {
    if (!(error instanceof SinkError)) fail(n, error instanceof Error ? error.stack! : String(error))
    outcomes.error++
  }
  const { user, system } = process.cpuUsage(before)
  slowest = Math.max(slowest, (user + system) / 1000)
  if (slowest > limits.ms) fail(n, `took ${Math.round(slowest)} ms of processor time`)
  // What grows input by input is not ours: zlib's inflateSync keeps its engine where it throws (Node 26).
  const now = peak()
  if (now > most && now - memory > limits.mb) fail(n, `took ${Math.round(now - memory)} MB of memory`)
}
const grown = Math.round(peak() - base)
const done = n - Number(first)
const { value, error } = outcomes
console.log(
  `${name!.padEnd(16)} ${done} inputs: ${value} values, ${error} errors, slowest ${Math.round(slowest)} ms, ${grown} MB`,
)

function fail(input: number, why: string): never {
  console.log(
    `${name} input ${input}: ${why}\n  again: scripts/fuzz --target ${name} --seed ${seed} --first ${input} --count 1`,
  )
  process.exit(1)
}
