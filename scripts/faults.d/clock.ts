/** The wall clock steps a day back or ahead, while a core comes and between crashes. */
import { writeFileSync } from 'node:fs'
import { kill, settled, startDaemon } from './daemon.ts'
import { type Fault, random, sleep } from './fault.ts'
import { noCompiler, shim } from './shim.ts'
import { type Crash, coreOf, Trial } from './trial.ts'

export const clockSteps: Fault = {
  name: 'the clock steps a day back or ahead',
  about: 'within crashes, and for the daemon',
  tries: 10,
  short: 1,
  unavailable: noCompiler,
  async run(tries, tally) {
    for (let n = 0; n < tries; n++) {
      await using trial = new Trial({ AnalysisUser: '', KernelLog: 'no' })
      const clock = trial.bed.path('clock')
      const env = { LD_PRELOAD: shim(), FAULT_CLOCK: clock }
      const step = (): void => writeFileSync(clock, String((random(3) - 1) * 86_400))
      step()
      const daemon = startDaemon(trial.bed.config, env)
      const crashes: Crash[] = []
      for (let i = 0; i < 4; i++) {
        const replay = trial.start(coreOf(3), env)
        replay.child.stdin!.end(replay.core)
        await sleep(random(150))
        step()
        await replay.ended
        crashes.push(replay)
      }
      await settled(trial)
      await kill(daemon, 'SIGTERM')
      await trial.judge(crashes, tally)
    }
  },
}
