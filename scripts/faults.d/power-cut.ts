/**
 * The power goes after any call of the handler on its archive, or of the daemon that brings a dump home. A crash whose handler had ended must be there, whole; any
 * other may be cut or, as long as nothing of it was synced, unknown, but never wrong.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Fault, random } from './fault.ts'
import { type Call, cutPower, readJournal } from './journal.ts'
import { faultEnv, noCompiler, shim } from './shim.ts'
import { coreOf, earlierBoot, Trial } from './trial.ts'

export const powerCuts: Fault = {
  name: 'power cut after a random call',
  about: 'what a journalling file system may hold then, put together from a journal of the calls',
  tries: 1000,
  short: 20,
  unavailable: noCompiler,
  async run(tries, tally) {
    for (let left = tries; left > 0; left -= 50) {
      await using first = new Trial()
      const root = first.bed.path('archive')
      const log = first.bed.path('journal')
      const env = { LD_PRELOAD: shim(), FAULT_ROOT: root, FAULT_LOG: log }
      const crash = await first.crash(coreOf(4), env)
      const calls = readJournal(log)
      for (let n = 0; n < Math.min(50, left); n++) {
        await using trial = new Trial()
        // Each place once, then any: the last is that of a handler that had ended.
        const cut = n < calls.length ? calls.length - n : random(calls.length + 1)
        const target = trial.bed.path('archive')
        cutPower(calls, cut, root, target)
        forgetTheBoot(target)
        const mayBeUnknown = !wasPromised(calls, cut) && !pendingIsThere(target)
        await trial.judge([{ ...crash, mayBeUnknown, mustBeWhole: cut === calls.length }], tally)
        rmSync(target, { recursive: true, force: true })
      }
    }
  },
}

export const shippingCuts: Fault = {
  name: 'power cut while a dump is brought home',
  about:
    'after a random call of the daemon on archive and spool; the dump was whole in the spool, or in two parts',
  tries: 300,
  short: 10,
  unavailable: noCompiler,
  async run(tries, tally) {
    for (let left = tries; left > 0; left -= 30) {
      await using first = new Trial()
      const root = first.bed.directory
      const errno = 5
      // From the first call on, or from one in the middle of the core.
      const at = Math.random() < 0.5 ? 1 : 10 + random(6)
      const crash = await first.crash(coreOf(4), faultEnv({ root: first.bed.path('archive'), errno, at }))
      const before = first.bed.path('before')
      mkdirSync(before)
      const parts = ['archive', 'state'].filter(name => existsSync(join(root, name)))
      execFileSync('cp', ['-a', ...parts.map(name => join(root, name)), before])
      const log = first.bed.path('journal')
      execFileSync(process.execPath, shipOnce(first), {
        env: { PATH: process.env.PATH, LD_PRELOAD: shim(), FAULT_ROOT: root, FAULT_LOG: log },
      })
      const calls = readJournal(log).filter(({ path }) => path !== log)
      for (let n = 0; n < Math.min(30, left); n++) {
        await using trial = new Trial()
        const target = trial.bed.directory
        execFileSync('cp', ['-a', `${before}/.`, target])
        const cut = n === 0 ? calls.length : random(calls.length + 1)
        cutPower(calls, cut, root, target)
        await trial.judge([{ ...crash, mustBeWhole: true }], tally)
      }
    }
  },
}

const shipOnce = ({ bed }: Trial): string[] => [
  ...['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'ship-once.ts')],
  ...[bed.path('state/spool'), bed.path('archive')],
]

/** The manifest's directory had been synced: from then on the handler says that the dump is there. */
function wasPromised(calls: readonly Call[], cut: number): boolean {
  const named = calls.findIndex(({ op, to }) => op === 'r' && to.endsWith('/manifest.json'))
  const synced = calls.findIndex(({ op }, i) => op === 's' && i > named)
  return named >= 0 && synced >= 0 && synced < cut
}

function pendingOf(archive: string): string | undefined {
  const dumps = join(archive, 'dumps')
  if (!existsSync(dumps)) return undefined
  const name = readdirSync(dumps, { recursive: true, encoding: 'utf8' }).find(path =>
    path.endsWith('/pending.json'),
  )
  return name === undefined ? undefined : join(dumps, name)
}

/** Whether what the handler knew beforehand was kept, and whole. */
function pendingIsThere(archive: string): boolean {
  const file = pendingOf(archive)
  if (file === undefined) return false
  try {
    JSON.parse(readFileSync(file, 'utf8'))
    return true
  } catch {
    return false
  }
}

/** After a power cut it is another boot. */
function forgetTheBoot(archive: string): void {
  const file = pendingOf(archive)
  if (file === undefined) return
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/"boot_id":"[0-9a-f-]*"/, `"boot_id":"${earlierBoot}"`))
}
