/** What the daemon makes of one dump: its analysis, and the encryption of its core. */
import type { DumpRef } from '../archive/index.ts'
import type { Lease } from '../archive/lease.ts'
import { ArchiveError, NotFoundError, reasonOf } from '../base/errors.ts'
import type { CrashRow } from '../catalog/index.ts'
import { analyseDump } from './analyse.ts'
import { encryptDump, hasPlainRest, isPlain } from './encrypt.ts'
import { everyDump } from './every-dump.ts'
import type { Holdings } from './holdings.ts'
import { requireArchive } from './maintenance.ts'
import { isOpen } from './row.ts'
import { expectedRow, syncDump } from './sync.ts'

export interface DumpWorkOptions {
  readonly holdings: Holdings
  readonly onStatus: (text: string) => void
  /** The analysing child's program, for tests. */
  readonly program?: string | undefined
}

export class DumpWork {
  readonly #options: DumpWorkOptions

  constructor(options: DumpWorkOptions) {
    this.#options = options
  }

  /** Throws where the dump can't be analysed now, for a reason that is not its own. */
  async analyse(row: CrashRow, signal: AbortSignal): Promise<void> {
    const { holdings, onStatus, program } = this.#options
    const { store, leases, liveness, log, counts } = holdings
    const { id, day } = row
    const name = `dump ${id} (${row.comm}, pid ${row.pid} on ${row.host})`
    try {
      await liveness.answers()
      signal.throwIfAborted()
      requireArchive(store)
      using lease = leases.take(id)
      if (lease === undefined) throw new ArchiveError('another daemon has it in hand')
      const before = syncDump(store, holdings.catalog, { id, day })
      if (before === undefined) throw new NotFoundError('it has no manifest any more')
      // Another machine may have been faster.
      if (before.analysis !== 'pending') return
      if (!holdings.config.analyseBeforeEncryption && (await this.#encrypt({ id, day }, lease, signal)))
        return
      onStatus(`Analysing ${name}`)
      const outcome = await analyseDump(
        { id, day },
        { store, config: holdings.config, signal, program, answers: () => liveness.answers() },
      )
      const after = syncDump(store, holdings.catalog, { id, day })
      if (outcome.state !== 'interrupted') counts.analysis(outcome.state)
      const mayQuote = isOpen(store, { id, day })
      if (outcome.state === 'done')
        log.event(
          'analysis-done',
          `Analysed ${name} in ${(outcome.ms / 1000).toFixed(1)} s: ${mayQuote ? (after?.cause ?? 'no cause') : "the dump is root's alone"}`,
          { GOCORE_SINK_ID: id, GOCORE_SINK_SIGNATURE: after?.signatureKey ?? undefined },
        )
      else if (outcome.state === 'failed')
        log.event(
          'analysis-failed',
          `Could not analyse ${name}: ${mayQuote ? outcome.reason : 'analysis.json says why'}`,
          { GOCORE_SINK_ID: id },
        )
      else log.info(`Handed back ${name}: the daemon stops`)
      if (outcome.state !== 'interrupted') await this.#encrypt({ id, day }, lease, signal)
    } catch (error) {
      if (this.#isGone({ id, day })) return
      log.warning(`Could not analyse ${name} now, trying again later: ${reasonOf(error)}`)
      holdings.mend(error)
      throw error
    }
  }

  /**
   * Encrypts those that an earlier daemon had no time for, or was killed over, or that were imported; all, or those of the
   * newest days.
   */
  async encryptTheRest({ days }: { days?: number } = {}): Promise<void> {
    const { holdings } = this.#options
    const { store, leases, stopping, onUnlisted } = holdings
    if (holdings.config.encryptTo.length === 0) return
    for await (const { id, day, manifest } of everyDump(store, { days, onUnlisted })) {
      if (stopping.aborted) return
      const ref = { id, day }
      if (!isPlain(manifest) && !hasPlainRest(store, ref, manifest)) continue
      if (this.#waits(holdings.catalog.get(id))) continue
      using lease = leases.take(id)
      if (lease !== undefined && !this.#waits(this.#rowNow(ref))) await this.#encrypt(ref, lease, stopping)
    }
  }

  /** Its analysis is to come, which needs the plain core; or it is to be listed first, and told of. */
  #waits(row: CrashRow | undefined): boolean {
    return (
      row === undefined ||
      (row.analysis === 'pending' && this.#options.holdings.config.analyseBeforeEncryption)
    )
  }

  /** By the archive: the catalog may be behind it. */
  #rowNow(ref: DumpRef): CrashRow | undefined {
    try {
      return expectedRow(this.#options.holdings.store, ref, false)
    } catch {
      return undefined
    }
  }

  /** False where cores are not encrypted. A failure is told, once, and the next round of retention tries again. */
  async #encrypt(ref: DumpRef, lease: Lease, signal: AbortSignal): Promise<boolean> {
    const { holdings } = this.#options
    const { store, log } = holdings
    const { encryptTo: recipients, analysis } = holdings.config
    if (recipients.length === 0) return false
    const isHeld = (): boolean => lease.isHeld()
    const job = `encryption of ${ref.id}`
    try {
      if (await encryptDump(store, ref, { recipients, user: analysis.user, signal, isHeld }))
        log.info(`Encrypted the core of dump ${ref.id} to ${recipients.join(', ')}`)
      syncDump(store, holdings.catalog, ref)
      holdings.succeeded(job)
    } catch (error) {
      const sentence = `Could not encrypt the core of dump ${ref.id}, it stays as it is: ${reasonOf(error)}`
      holdings.complainOf(job, sentence)
    }
    return true
  }

  /** A dump that was deleted meanwhile, be it down to its directory, is nothing to complain of. */
  #isGone({ id, day }: DumpRef): boolean {
    const { store, catalog } = this.#options.holdings
    try {
      requireArchive(store)
      if (store.manifestTime({ id, day }) !== undefined) return false
      catalog.remove(id)
      return true
    } catch {
      return false
    }
  }
}
