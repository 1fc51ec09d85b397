/** Runs the targets one after the other, each in a process that may be killed; exits 1 when one failed. */
import { parseArgs } from 'node:util'
import { runTarget } from './run-target.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    first: { type: 'string', default: '0' },
    count: { type: 'string', default: '1000000000' },
    seconds: { type: 'string', default: '60' },
    core: { type: 'string' },
    exe: { type: 'string' },
    help: { type: 'boolean' },
  },
})

if (values.help) {
  process.stdout.write(`usage: scripts/fuzz [OPTION]...
  --target a,b    only these (${targets.map(t => t.name).join(', ')})
  --seconds N     for each target (60)
  --count N       at most so many inputs for each target
  --seed N        another series of inputs (chosen by the clock)
  --first N       start at the Nth of the series
  --core FILE     another core to damage, and
  --exe FILE      its executable
`)
} else {
  if (values.core) process.env.GOCORE_FUZZ_CORE = values.core
  if (values.exe) process.env.GOCORE_FUZZ_EXE = values.exe
  const chosen = values.target?.split(',') ?? targets.map(t => t.name)
  for (const name of chosen) {
    if (!targets.some(t => t.name === name)) throw new Error(`no target ${name}`)
    const { seed, first, count, seconds } = values
    const result = await runTarget(name, { seed, first, count, seconds })
    process.stdout.write(result.output)
    if (!result.ok) process.exitCode = 1
  }
}
