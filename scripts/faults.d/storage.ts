/** Storage that fails or stalls at a random call: of one moment, or from then on. */
import { type Fault, mostHeld, random, repeat } from './fault.ts'
import { countedCalls, faultEnv, noCompiler, shim } from './shim.ts'
import { coreOf, Trial } from './trial.ts'

const megabytes = 6

/** How many calls of a handler on its archive there are when all is well. */
async function callsOfOne(): Promise<number> {
  await using trial = new Trial()
  const count = trial.bed.path('count')
  const env = { LD_PRELOAD: shim(), FAULT_ROOT: trial.bed.path('archive'), FAULT_COUNT: count }
  await trial.crash(coreOf(megabytes), env)
  return countedCalls(count)
}

const failing = (name: string, errno: number | 'stall', tries: number): Fault => ({
  name: errno === 'stall' ? name : `${name} at a random call`,
  about: errno === 'stall' ? 'a call that never returns' : 'half of them for one call, half from then on',
  tries,
  short: errno === 'stall' ? 1 : 2,
  mostHeld,
  unavailable: noCompiler,
  async run(n, tally) {
    const calls = await callsOfOne()
    await repeat(n, async i => {
      await using trial = new Trial()
      const once = i % 2 === 0 && errno !== 'stall'
      const at = 1 + random(calls)
      const crash = await trial.crash(
        coreOf(megabytes),
        faultEnv({ root: trial.bed.path('archive'), errno, at, once }),
      )
      const verdict = await trial.judge([crash], tally, crash.held)
      if (verdict.why.length > 0)
        tally.why.push(`  with ${errno} ${once ? 'once ' : ''}at call ${at} of ${calls}`)
    })
  },
})

export const storageFaults: readonly Fault[] = [
  failing('ENOSPC', 28, 200),
  failing('EDQUOT', 122, 200),
  failing('EIO', 5, 200),
  failing('EROFS', 30, 200),
  failing('ESTALE', 116, 200),
  failing('EACCES', 13, 50),
  failing('storage that never answers again', 'stall', 60),
]

/** Archive and spool both: what then remains is the kernel log. */
export const everythingFails: Fault = {
  name: 'archive and spool fail at a random call',
  about: 'EIO for both from a random call on',
  tries: 60,
  short: 2,
  mostHeld,
  unavailable: noCompiler,
  async run(n, tally) {
    const calls = await callsOfOne()
    await repeat(n, async () => {
      await using trial = new Trial()
      const crash = await trial.crash(
        coreOf(megabytes),
        faultEnv({ root: trial.bed.directory, errno: 5, at: 1 + random(calls + 10) }),
      )
      await trial.judge([crash], tally, crash.held)
    })
  },
}
