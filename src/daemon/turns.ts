/** Jobs that run one after another, each begun when the archive answers. One may fail without ending the service. */
import { reasonOf } from '../base/errors.ts'
import type { Holdings } from './holdings.ts'

export class Turns {
  readonly #holdings: Pick<Holdings, 'liveness' | 'log' | 'mend'>
  #last = Promise.resolve()

  constructor(holdings: Pick<Holdings, 'liveness' | 'log' | 'mend'>) {
    this.#holdings = holdings
  }

  /** Resolves when the job is over, however it ended. */
  take(what: string, job: () => Promise<void>): Promise<void> {
    const { liveness, log } = this.#holdings
    const begin = async (): Promise<void> => {
      await liveness.answers()
      await job()
    }
    this.#last = this.#last.then(begin).catch(error => {
      log.error(`${what} failed, the next one is tried as scheduled: ${reasonOf(error)}`)
      this.#holdings.mend(error)
    })
    return this.#last
  }

  /** Resolves when all jobs are over that have been given so far. */
  over(): Promise<void> {
    return this.#last
  }
}
