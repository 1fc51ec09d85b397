/** Runs the targets, each in a process that may be killed; exits 1 when one failed. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { ModulePlaces } from './coverage.ts'
import { prepareCrashes } from './crashes.ts'
import { runTarget } from './run-target.ts'
import { targets } from './targets.ts'
import { formatUnreached } from './unreached.ts'
import type { WorkerOrder } from './worker.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    count: { type: 'string', default: '1000000000' },
    seconds: { type: 'string', default: '60' },
    jobs: { type: 'string', default: '1' },
    blind: { type: 'boolean', default: false },
    replay: { type: 'string' },
    cover: { type: 'boolean', default: false },
    unreached: { type: 'boolean', default: false },
    core: { type: 'string' },
    exe: { type: 'string' },
    help: { type: 'boolean' },
  },
})

if (values.help)
  process.stdout.write(`usage: scripts/fuzz [OPTION]...
  --target a,b    only these (${targets.map(t => t.name).join(', ')})
  --seconds N     of processor time for each target (60)
  --count N       at most so many inputs for each target
  --jobs N        so many targets at a time (1)
  --seed N        another series of inputs (chosen by the clock)
  --blind         random damage, whatever it reaches
  --replay FILE   the inputs in this file, a line each, and no others
  --cover         no new inputs: those that are worth it go to test/fuzz/corpus
  --unreached     no new inputs: which code none of those that there are comes to
  --core FILE     another core to damage, and
  --exe FILE      its executable
`)
else await run()

async function run(): Promise<void> {
  if (values.core) process.env.GOCORE_FUZZ_CORE = values.core
  if (values.exe) process.env.GOCORE_FUZZ_EXE = values.exe
  const names = values.target?.split(',') ?? targets.map(t => t.name)
  for (const name of names)
    if (!targets.some(t => t.name === name)) {
      process.stderr.write(`scripts/fuzz: no target ${name}; --help lists them\n`)
      process.exitCode = 2
      return
    }
  await prepareCrashes()
  const orders = names.flatMap(ordersOf)
  const all: ModulePlaces[] = []
  const next = async (): Promise<void> => {
    for (let order = orders.shift(); order !== undefined; order = orders.shift()) {
      const { ok, output, modules } = await runTarget(order, progressOf(order))
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
      if (!values.unreached) process.stdout.write(output)
      all.push(...modules)
      if (!ok) process.exitCode = 1
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, next))
  if (values.unreached) process.stdout.write(formatUnreached(all))
}

function ordersOf(target: string): WorkerOrder[] {
  const { seed, count, seconds, blind, replay } = values
  const order = {
    ...{ target, seed: Number(seed), count: Number(count), seconds: Number(seconds) },
    guided: !blind && replay === undefined,
    ...(values.cover ? { cover: true as const } : {}),
    ...(values.unreached ? { unreached: true as const } : {}),
  }
  if (replay === undefined) return [order]
  const lines = readFileSync(replay, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(only => ({ ...order, only }))
}

function progressOf({ target }: WorkerOrder): (inputs: number) => void {
  return inputs => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${target}: ${inputs} inputs`)
  }
}
