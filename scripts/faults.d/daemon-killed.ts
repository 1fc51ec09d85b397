/** SIGKILL for the daemon at random moments, while dumps wait in the spool, in parts, and to be analysed. */
import { compareCatalogs, kill, settled, startDaemon } from './daemon.ts'
import { type Fault, random, sleep } from './fault.ts'
import { readAnalysisRecord } from './product.ts'
import { faultEnv, noCompiler } from './shim.ts'
import { type Crash, coreOf, reads, Trial } from './trial.ts'

/** Fills archive and spool: whole dumps, dumps in two parts, and those of handlers that were killed. */
export async function fill(trial: Trial, count: number): Promise<Crash[]> {
  const crashes: Crash[] = []
  for (let n = 0; n < count; n++) {
    const core = coreOf(3)
    const fault = { root: trial.bed.path('archive'), errno: 5, at: n % 3 === 0 ? 1 : 9 + random(12) }
    if (n % 4 === 3) {
      const replay = trial.start(core)
      await reads(replay)
      await sleep(random(120))
      replay.child.kill('SIGKILL')
      await replay.ended
      crashes.push(replay)
    } else crashes.push(await trial.crash(core, n % 3 === 2 ? {} : faultEnv(fault)))
  }
  return crashes
}

export const daemonKilled: Fault = {
  name: 'daemon killed at a random moment',
  about: 'SIGKILL while it ships, joins, recovers and analyses',
  tries: 200,
  short: 2,
  unavailable: noCompiler,
  async run(tries, tally) {
    // One archive is lived through ten deaths.
    for (let left = tries; left > 0; left -= 10) {
      await using trial = new Trial({ AnalysisUser: '', KernelLog: 'no', ShipRate: '20M' })
      const crashes = await fill(trial, 6)
      const deaths = Math.min(10, left)
      for (let n = 0; n < deaths; n++) {
        const daemon = startDaemon(trial.bed.config)
        await sleep(200 + random(900))
        await kill(daemon)
      }
      const daemon = startDaemon(trial.bed.config)
      await settled(trial)
      await kill(daemon, 'SIGTERM')
      const verdict = await trial.judge(crashes, tally)
      tally.tries += deaths - 1
      await compareCatalogs(trial, tally)
      if (verdict.why.length > 0) tally.why.push(`  in ${trial.bed.directory}`)
    }
  },
}

/** Until both spools are empty and somebody has looked at each dump, or for half a minute. */
async function analysed([one, two]: [Trial, Trial]): Promise<void> {
  for (let n = 0; n < 150; n++) {
    await sleep(200)
    const spooled = [...one.spool.list(), ...two.spool.list()].length
    const open = [...one.store.list()].filter(({ manifest, ...ref }) => {
      const state = readAnalysisRecord(one.store, ref)?.state
      return manifest.core.state !== 'none' && state !== 'done' && state !== 'failed'
    })
    if (spooled + open.length === 0) return
  }
}

export const twoDaemons: Fault = {
  name: 'two daemons on one archive',
  about: 'each with a spool of its own and both after the same dumps',
  tries: 10,
  short: 1,
  unavailable: noCompiler,
  async run(tries, tally) {
    for (let n = 0; n < tries; n++) {
      await using one = new Trial({ AnalysisUser: '', KernelLog: 'no' })
      await using two = new Trial({
        ...{ AnalysisUser: '', KernelLog: 'no', ArchiveDirectory: one.bed.path('archive') },
      })
      const crashes = [...(await fill(one, 5)), ...(await fill(two, 5))]
      const daemons = [startDaemon(one.bed.config), startDaemon(two.bed.config)]
      if (n % 2 === 1) {
        await sleep(400 + random(800))
        await kill(daemons[0]!)
        daemons[0] = startDaemon(one.bed.config)
      }
      await analysed([one, two])
      for (const daemon of daemons) await kill(daemon, 'SIGTERM')
      two.redirect(one.store)
      await two.mend()
      const verdict = await one.judge(crashes, tally)
      for (const { id, manifest } of one.store.list())
        if (manifest.notes.filter(note => /shipped to the archive/.test(note)).length > 1) {
          tally.twice++
          tally.why.push(`${id} was shipped twice`)
        }
      for (const { manifest: _, ...ref } of one.store.list())
        if (n % 2 === 0 && (readAnalysisRecord(one.store, ref)?.attempts ?? 1) > 1) {
          tally.twice++
          tally.why.push(`${ref.id} was analysed twice`)
        }
      if (verdict.why.length > 0) tally.why.push(`  in ${one.bed.directory}`)
    }
  },
}
