/** Whoever is to be told of crashes is told of those whose analysis has ended since the last look. */
import { reasonOf } from '../../base/errors.ts'
import { outboxOf } from '../../config/index.ts'
import type { Holdings } from '../holdings.ts'
import { isImported, manifestOf, openRow } from '../row.ts'
import { Delivery, deliveryGroup } from './delivery.ts'
import { News } from './news.ts'
import { Outbox, putAt } from './outbox.ts'

/** Crashes that are analysed one after the other are told together. */
const soonMs = 500
const job = 'hooks'

export class Telling {
  readonly #holdings: Holdings
  readonly #news: News
  readonly #delivery: Delivery
  #soon: NodeJS.Timeout | undefined

  /** `configPath`: where the configuration was read, for the child that delivers. */
  constructor(holdings: Holdings, configPath: string | undefined) {
    const onProblem = (sentence: string): void => holdings.log.warning(sentence)
    this.#holdings = holdings
    this.#news = new News({
      ...{ config: () => holdings.config, catalog: () => holdings.catalog, gid: deliveryGroup(), onProblem },
      onEvent: result => holdings.counts.event(result),
      open: row => {
        const manifest = manifestOf(holdings.store, row)
        return isImported(manifest) ? undefined : openRow(row, manifest)
      },
    })
    this.#delivery = new Delivery({ configPath, onProblem })
  }

  soon(): void {
    this.#soon ??= setTimeout(() => this.look(), soonMs).unref()
  }

  look(): void {
    this.#soon = undefined
    if (this.#holdings.stopping.aborted) return
    const directory = outboxOf(this.#holdings.config)
    const outbox = new Outbox(directory, undefined)
    try {
      // By a catalog in the making, which gets the older days last, all kinds would be new.
      if (this.#holdings.isCatalogWhole) this.#news.look()
      if (outbox.letters().length > 0) this.#delivery.begin(directory)
      this.#holdings.succeeded(job)
    } catch (error) {
      this.#holdings.complainOf(job, `Could not tell the hooks, trying again: ${reasonOf(error)}`)
      this.#holdings.mend(error)
    }
    this.#count(outbox)
  }

  #count(outbox: Outbox): void {
    const { counts } = this.#holdings
    const letters = outbox.letters()
    counts.event('given-up', outbox.takeGivenUp())
    counts.eventsWaiting(letters.length, letters.map(putAt).at(0))
  }

  stop(): void {
    this.#delivery.stop()
  }
}
