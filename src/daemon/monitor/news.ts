/**
 * Which crashes are still to be told: those of this machine whose analysis has ended and that were not told before, by
 * whatever daemon. STATE/announced remembers them.
 */
import { join } from 'node:path'
import type { Catalog, CrashRow } from '../../catalog/index.ts'
import { type Config, outboxOf } from '../../config/index.ts'
import type { EventResult } from './counts.ts'
import { type CrashEvent, crashEvent } from './crash-event.ts'
import { CrashRoll } from './crash-roll.ts'
import { Outbox } from './outbox.ts'

const hourMs = 60 * 60_000

export interface NewsOptions {
  readonly config: () => Pick<Config, 'state' | 'hooks'>
  readonly catalog: () => Catalog
  /** The row as everybody may know it; undefined of an imported dump, of which nobody is told. */
  readonly open: (row: CrashRow) => CrashRow | undefined
  /** The group of who delivers; undefined for the daemon's own. */
  readonly gid: number | undefined
  readonly onProblem: (sentence: string) => void
  readonly onEvent?: (result: EventResult) => void
  /** For tests. */
  readonly rows?: number
}

export class News {
  readonly #options: NewsOptions
  readonly #told: CrashRoll
  #sent: number[] = []
  #leftOut = 0

  constructor(options: NewsOptions) {
    const { config, catalog, onProblem, rows } = options
    this.#options = options
    this.#told = new CrashRoll({
      ...{ path: join(config().state, 'announced'), catalog, onProblem, rows },
      risk: 'hooks may be told again after a restart',
    })
  }

  /** Puts what is new into the outbox, oldest first; answers what was put there. */
  look(now = Date.now()): CrashEvent[] {
    const { config, catalog, open } = this.#options
    const { hooks } = config()
    const receivers = [...(hooks.command.length > 0 ? ['command'] : []), ...hooks.urls]
    const put: CrashEvent[] = []
    for (const row of this.#told.missing(now)) {
      if (row.analysis === 'pending') continue
      const known = receivers.length > 0 ? open(row) : undefined
      if (known !== undefined) {
        const isTold = (other: CrashRow): boolean => !this.#told.lacks(other, now)
        const event = crashEvent(known, catalog(), hooks.regressionAfter, this.#leftOut, isTold)
        // Of what could not be analysed nobody knows that it is nothing new.
        const isWanted = row.analysis === 'failed' || event.events.some(name => hooks.on.includes(name))
        if (isWanted && this.#isWithinLimit(hooks.perHour, now) && this.#put(event, receivers, now))
          put.push(event)
        else if (isWanted) this.#leaveOut()
      }
      // After the letter: told twice is better than not at all.
      this.#told.add(row.id)
    }
    return put
  }

  /** What can't be written throws, and is tried again: it uses up nothing of HooksPerHour. */
  #put(event: CrashEvent, receivers: readonly string[], now: number): boolean {
    const { config, gid, onProblem, onEvent } = this.#options
    const isThere = new Outbox(outboxOf(config()), gid).put(event, receivers)
    if (isThere) {
      this.#sent.push(now)
      this.#leftOut = 0
      onEvent?.('put')
    } else onProblem(`${outboxOf(config())} is full: nobody is told of dump ${event.id}`)
    return isThere
  }

  #leaveOut(): void {
    this.#leftOut++
    this.#options.onEvent?.('left-out')
  }

  #isWithinLimit(perHour: number | null, now: number): boolean {
    // A clock that was set back has them lie ahead.
    this.#sent = this.#sent.filter(time => Math.abs(now - time) < hourMs)
    return perHour === null || this.#sent.length < perHour
  }
}
