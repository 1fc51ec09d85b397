/** SIGKILL for the handler, at a random moment from its first read to its end. */
import { type Fault, random, repeat, sleep } from './fault.ts'
import { coreOf, reads, Trial } from './trial.ts'

const core = (): Buffer => coreOf(24)
/** More than the socket in the pipe's place holds. */
const begin = 1 << 20

/** Milliseconds from the first read to the end, when nobody kills it. */
async function timeOfOne(): Promise<number> {
  await using trial = new Trial()
  const replay = trial.start(core())
  await reads(replay, begin)
  const began = performance.now()
  replay.child.stdin!.end(replay.core.subarray(begin))
  await replay.ended
  return performance.now() - began
}

export const handlerKilled: Fault = {
  name: 'handler killed at a random byte',
  about: 'SIGKILL while the core comes, or while the handler finishes',
  tries: 500,
  short: 4,
  async run(tries, tally) {
    await timeOfOne()
    const time = await timeOfOne()
    // One at a time: two would share the processors, and both die young.
    await repeat(
      tries,
      async () => {
        await using trial = new Trial()
        const replay = trial.start(core())
        await reads(replay, begin)
        replay.child.stdin!.end(replay.core.subarray(begin))
        await sleep(random(Math.ceil(1.1 * time)))
        replay.child.kill('SIGKILL')
        await replay.ended
        await trial.judge([replay], tally)
      },
      1,
    )
  },
}
