/** A real file system that is frozen (fsfreeze(8)): whoever writes to it hangs in the kernel, beyond SIGKILL, until it thaws. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { type Fault, random, sleep } from './fault.ts'
import { coreOf, Trial } from './trial.ts'

const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: 'ignore' })
}

function unavailable(): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['fsfreeze', 'mkfs.ext4', 'losetup'])
    if (spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status !== 0) return `no ${program}`
  return spawnSync('losetup', ['-f']).status === 0 ? false : 'no loop devices'
}

export const frozen: Fault = {
  name: 'ext4 frozen before, during or after a crash',
  about: 'fsfreeze on a loop device for five seconds, StorageDeadline=1s',
  tries: 18,
  short: 1,
  unavailable,
  async run(tries, tally) {
    for (let n = 0; n < tries; n++) {
      await using trial = new Trial()
      const archive = trial.bed.path('archive')
      const image = trial.bed.path('image')
      mkdirSync(archive, { mode: 0o700 })
      run('truncate', '-s', '100M', image)
      run('mkfs.ext4', '-q', '-m', '0', '-E', 'lazy_itable_init=0', image)
      run('mount', '-o', 'loop', image, archive)
      let isFrozen = false
      try {
        const core = coreOf(6)
        const freeze = (): void => {
          run('fsfreeze', '-f', archive)
          isFrozen = true
        }
        if (n % 3 === 0) freeze()
        const replay = trial.start(core)
        replay.child.stdin!.end(core)
        if (n % 3 !== 0) {
          await sleep(n % 3 === 1 ? 40 + random(120) : 150 + random(200))
          freeze()
        }
        await sleep(5000)
        run('fsfreeze', '-u', archive)
        isFrozen = false
        const { held } = await replay.ended
        await trial.bed.settle()
        const verdict = await trial.judge([replay], tally, held)
        if (verdict.why.length > 0) tally.why.push(`  frozen in phase ${n % 3}`)
      } finally {
        if (isFrozen) run('fsfreeze', '-u', archive)
        await trial.bed.settle()
        run('umount', '-l', archive)
      }
    }
  },
}
