/** A real file system that stops answering before, during or after a crash, and answers again later. */
import { mkdirSync } from 'node:fs'
import { type Fault, mostHeld, random, sleep } from './fault.ts'
import { byDyingFuse, freezable, type MountKind } from './mounts.ts'
import { coreOf, Trial } from './trial.ts'

const frozen = (kind: MountKind, name: string, tries: number): Fault => ({
  name,
  about: `${kind.how}, seven seconds, StorageDeadline=1s`,
  tries,
  short: 1,
  mostHeld,
  unavailable: kind.unavailable,
  async run(n, tally) {
    for (let i = 0; i < n; i++) {
      await using trial = new Trial()
      const archive = trial.bed.path('archive')
      mkdirSync(archive, { mode: 0o700 })
      const mounted = await kind.mount(archive, trial.bed.path('disk'))
      try {
        const core = coreOf(6)
        const phase = i % 3
        if (phase === 0) mounted.freeze()
        const replay = trial.start(core)
        replay.child.stdin!.end(core)
        if (phase !== 0) {
          await sleep(phase === 1 ? 40 + random(160) : 200 + random(300))
          mounted.freeze()
        }
        await sleep(mostHeld + 2000)
        await mounted.thaw()
        const { held } = await replay.ended
        await trial.bed.settle()
        const verdict = await trial.judge([replay], tally, held)
        if (verdict.why.length > 0) tally.why.push(`  in phase ${phase}`)
      } finally {
        await mounted.thaw()
        await trial.bed.settle()
        await mounted.end()
      }
    }
  },
})

export const frozenStorage: readonly Fault[] = [
  ...freezable.map(kind => frozen(kind, `${kind.name} frozen before, during or after a crash`, 30)),
  frozen(byDyingFuse, 'FUSE server killed before, during or after a crash', 15),
]
