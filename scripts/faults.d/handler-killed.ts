/** SIGKILL for the handler, at a random byte of the stream or in what it does after the last one. */
import { type Fault, random, repeat, sleep } from './fault.ts'
import { coreOf, pipeHolds, reads, Trial } from './trial.ts'

export const handlerKilled: Fault = {
  name: 'handler killed at a random byte',
  about: 'SIGKILL while the core comes, or while the handler finishes',
  tries: 300,
  short: 4,
  async run(tries, tally) {
    const core = coreOf(6)
    await repeat(tries, async n => {
      await using trial = new Trial()
      const replay = trial.start(core)
      // Half of them within the stream, the others behind it: there lie the writes, the syncs and the renames.
      const behind = n % 2 === 1
      await reads(replay, behind ? core.length : 2 * pipeHolds + random(core.length - 2 * pipeHolds))
      if (behind) replay.child.stdin!.end()
      await sleep(random(behind ? 300 : 40))
      replay.child.kill('SIGKILL')
      await replay.ended
      await trial.judge([replay], tally)
    })
  },
}
