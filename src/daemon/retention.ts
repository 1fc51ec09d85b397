/** One round of retention: what is too old or too much is shrunk or deleted, and told. */
import type { DumpRef } from '../archive/index.ts'
import type { DumpWork } from './dump-work.ts'
import { eventOf, type GcAction, runGc, sentenceOf, unreadSentence } from './gc.ts'
import type { Holdings } from './holdings.ts'
import { requireArchive } from './maintenance.ts'
import { type ShrinkOutcome, shrinker } from './shrink.ts'
import { syncDump } from './sync.ts'

export async function keepWithinLimits(holdings: Holdings, work: DumpWork): Promise<void> {
  const { store, stopping: signal } = holdings
  requireArchive(store)
  await work.encryptTheRest()
  const { actions, unread } = await runGc({
    store,
    catalog: holdings.catalog,
    policy: holdings.config.retention,
    shrink: (ref, reason) => shrink(holdings, ref, reason),
    leases: holdings.leases,
    signal,
    onUnlisted: holdings.onUnlisted,
  })
  for (const action of actions) tell(holdings, action)
  const sentence = unreadSentence(unread)
  if (sentence === undefined) holdings.succeeded('manifests')
  else holdings.complainOf('manifests', sentence)
}

function tell({ log, counts }: Holdings, done: GcAction): void {
  const { action, kind, name, reason, failed, kept } = done
  counts.retention(failed ? (kept ? 'kept' : 'failed') : kind === 'leftover' ? 'clear' : action)
  if (kept) log.info(`Did not ${action} ${kind} ${name} (${reason}): ${failed}`)
  else if (failed) log.warning(`Could not ${action} ${kind} ${name} (${reason}): ${failed}`)
  // Of no dump, and nobody's loss.
  else if (kind === 'leftover') log.info(sentenceOf(done))
  else log.event(eventOf[action], sentenceOf(done), kind === 'dump' ? { GOCORE_SINK_ID: name } : {})
}

async function shrink(holdings: Holdings, ref: DumpRef, reason: string): Promise<ShrinkOutcome> {
  const { store, leases, config, stopping: signal } = holdings
  const outcome = await shrinker(store, leases, { analysis: config.analysis, redact: config.redact, signal })(
    ref,
    reason,
  )
  syncDump(store, holdings.catalog, ref)
  return outcome
}
