/** The archive's directory goes away, or becomes something else, before a crash or in the middle of one. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { rememberArchive } from '../../src/archive/known.ts'
import { type Fault, mostHeld, random, repeat, sleep } from './fault.ts'
import { coreOf, Trial } from './trial.ts'

const things: readonly [name: string, put?: (path: string, archive: string) => void][] = [
  ['nothing'],
  ['a file', path => writeFileSync(path, 'not a directory')],
  ['a FIFO', path => execFileSync('mkfifo', [path])],
  [
    'a symbolic link to elsewhere',
    (path, archive) => {
      mkdirSync(`${archive}.elsewhere`, { mode: 0o700 })
      symlinkSync(`${archive}.elsewhere`, path)
    },
  ],
  ['a link to nowhere', path => symlinkSync('/nonexistent/archive', path)],
]

/** renameat2(2) with RENAME_EXCHANGE: there is no moment at which a handler would find nothing there, and make it anew. */
function exchange(one: string, other: string): void {
  const number = process.arch === 'arm64' ? 276 : 316
  execFileSync('perl', [
    '-e',
    `exit(syscall(${number}, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 ? 0 : 1)`,
    one,
    other,
  ])
}

export const archiveReplaced: Fault = {
  name: 'archive removed, replaced by link, FIFO, file',
  about: 'before the crash or while the core comes; then it comes back',
  tries: 60,
  short: 5,
  mostHeld,
  async run(tries, tally) {
    await repeat(tries, async n => {
      await using trial = new Trial()
      const archive = trial.bed.path('archive')
      const core = coreOf(6)
      const first = await trial.crash(core)
      // As the daemon does when it starts.
      mkdirSync(trial.bed.path('state'), { recursive: true })
      rememberArchive(trial.bed.path('state'), archive)
      const [, put] = things[n % things.length]!
      const inTheMiddle = n % 2 === 1
      const replay = trial.start(core)
      const replace = (): void => {
        put?.(`${archive}.gone`, archive)
        if (put === undefined) renameSync(archive, `${archive}.gone`)
        else exchange(archive, `${archive}.gone`)
      }
      if (!inTheMiddle) replace()
      else {
        replay.child.stdin!.write(core.subarray(0, 3 << 20))
        await sleep(random(150))
        replace()
      }
      replay.child.stdin!.end(inTheMiddle ? core.subarray(3 << 20) : core)
      const { held } = await replay.ended
      await trial.bed.settle()
      // What went through the link is brought back with the rest, as an administrator would.
      const crashes = [first, replay]
      if (n % things.length === 3) {
        execFileSync('cp', ['-a', '--no-clobber', `${archive}.elsewhere/.`, `${archive}.gone`])
      }
      rmSync(archive, { recursive: true, force: true })
      renameSync(`${archive}.gone`, archive)
      await trial.judge(crashes, tally, held)
    })
  },
}
