/**
 * Delivers what lies in an outbox until it is empty: each receiver's letters one after the other, whatever the others do. A
 * letter that fails goes behind, and is tried again later and later; where the next one fails too it is the receiver that is
 * left alone, later and later. A letter that is a day old is given up when it fails again.
 */
import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { readRegularFile } from '../../base/regular-file.ts'
import type { Hooks } from '../../config/index.ts'
import type { Log } from '../log.ts'
import { type Delivery, postEvent, runHook } from './deliver.ts'
import { type Letter, Outbox, putAt } from './outbox.ts'

export interface PostmanOptions {
  readonly directory: string
  /** Asked for each letter: the configuration may have changed. */
  readonly hooks: () => Hooks
  readonly log: Log
  /** Milliseconds to the second attempt, and at most. */
  readonly pause?: { readonly first: number; readonly most: number }
  /** Milliseconds after which a letter is given up. */
  readonly patience?: number
  /** Milliseconds after which what is no letter is removed. */
  readonly strayMs?: number
  readonly signal?: AbortSignal
}

const mostBytes = 1 << 20
const pauses = { first: 5000, most: 600_000 }
/** How often a postman who waits looks for letters to others. */
const lookMs = 2000

export class Postman {
  readonly #options: PostmanOptions
  readonly #outbox: Outbox
  /** Of letters by their name, of receivers by whom they are; `until` by `performance.now()`. */
  readonly #pauses = new Map<string, { until: number; ms: number }>()
  /** The letter that each receiver has refused, and taken none since. */
  readonly #refused = new Map<string, string>()
  /** Of each receiver that letters are on their way to. */
  readonly #rounds = new Map<string, Promise<void>>()

  constructor(options: PostmanOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.directory, undefined)
  }

  /** Ends when no letter is left, or by the signal. */
  async run(): Promise<void> {
    const { signal } = this.#options
    const rounds = this.#rounds
    for (;;) {
      const letters = this.#read()
      if (signal?.aborted || (letters.length === 0 && rounds.size === 0 && !this.#hasStrays())) break
      for (const [to, own] of Map.groupBy(letters, ({ letter }) => letter.to)) {
        if (rounds.has(to) || !this.#isDue(to)) continue
        const due = own.filter(({ name }) => this.#isDue(name))
        if (due.length > 0)
          rounds.set(
            to,
            this.#deliverAll(to, due).finally(() => rounds.delete(to)),
          )
      }
      await this.#aWhile()
    }
    await Promise.all(rounds.values())
  }

  /** Until it is time to look again, or a round has ended. */
  async #aWhile(): Promise<void> {
    const { signal, pause = pauses } = this.#options
    const end = new AbortController()
    const signals = signal === undefined ? [end.signal] : [end.signal, signal]
    const slept = sleep(Math.min(lookMs, pause.first), undefined, { signal: AbortSignal.any(signals) })
    await Promise.race([slept.catch(() => {}), ...this.#rounds.values()])
    end.abort()
  }

  /**
   * A directory that is never empty would have this started for ever. What was being written a minute ago will not be, and
   * what was given up then nobody counts.
   */
  #hasStrays(): boolean {
    const { strayMs = 60_000 } = this.#options
    const strays = this.#outbox.strays()
    for (const name of strays) {
      const path = join(this.#options.directory, name)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat && Date.now() - stat.mtimeMs > strayMs) rmSync(path, { force: true, recursive: true })
    }
    return strays.length > 0
  }

  async #deliverAll(to: string, letters: readonly { name: string; letter: Letter }[]): Promise<void> {
    const { log, signal, patience = 24 * 60 * 60_000 } = this.#options
    // Those first that were not tried yet, or not for long: one that nobody takes holds up none.
    const triedAt = ({ name }: { name: string }): number => this.#pauses.get(name)?.until ?? 0
    for (const { name, letter } of letters.toSorted((a, b) => triedAt(a) - triedAt(b))) {
      if (signal?.aborted || !this.#isDue(to)) return
      const delivery = await this.#deliver(letter)
      // By a clock that may have been set since: no letter is given up for its age without an attempt.
      const isOld = Date.now() - putAt(name) > patience
      const what = `${nameOf(to)} of dump ${letter.event.id}`
      if (delivery.state === 'again' && !isOld) {
        const ms = Math.max(this.#pause(name), this.#isAtFault(to, name) ? this.#pause(to) : 0)
        this.#refused.set(to, name)
        log.warning(`Could not tell ${what}, trying again in ${ms / 1000} s: ${delivery.reason}`)
        continue
      }
      if (delivery.state !== 'again') for (const map of [this.#refused, this.#pauses]) map.delete(to)
      this.#pauses.delete(name)
      if (delivery.state === 'done') rmSync(join(this.#options.directory, name), { force: true })
      else {
        log.warning(`Gave up telling ${what}: ${delivery.reason}`)
        this.#outbox.giveUp(name)
      }
    }
  }

  /** Whether a failure is the receiver's: of one letter after another, or once more after its pause. */
  #isAtFault(to: string, name: string): boolean {
    return this.#pauses.has(to) || (this.#refused.get(to) ?? name) !== name
  }

  #isDue(of: string): boolean {
    return (this.#pauses.get(of)?.until ?? 0) <= performance.now()
  }

  /** Twice as long as the last one, milliseconds. */
  #pause(of: string): number {
    const { first, most } = this.#options.pause ?? pauses
    const ms = Math.min(most, (this.#pauses.get(of)?.ms ?? first / 2) * 2)
    this.#pauses.set(of, { until: performance.now() + ms, ms })
    return ms
  }

  #deliver({ to, event }: Letter): Promise<Delivery> {
    const { command, urls, key } = this.#options.hooks()
    const gone: Delivery = { state: 'give-up', reason: 'the configuration names it no more' }
    try {
      if (to === 'command') return command.length > 0 ? runHook(command, event) : Promise.resolve(gone)
      if (!urls.includes(to)) return Promise.resolve(gone)
      return postEvent(to, event, key === '' ? undefined : keyOf(key))
    } catch (error) {
      return Promise.resolve({ state: 'again', reason: reasonOf(error) })
    }
  }

  /** What is no letter is removed: it would be met for ever. */
  #read(): { name: string; letter: Letter }[] {
    const { directory, log } = this.#options
    return this.#outbox.letters().flatMap(name => {
      try {
        return [{ name, letter: parseLetter(readRegularFile(join(directory, name), mostBytes)) }]
      } catch (error) {
        log.warning(`Gave up ${name} in the outbox: ${reasonOf(error)}`)
        this.#outbox.giveUp(name)
        return []
      }
    })
  }
}

/** For the log, which more people read than the configuration: the path of a webhook often is its secret. */
const nameOf = (to: string): string =>
  to === 'command' ? 'the hook' : `${URL.parse(to)?.origin ?? 'a webhook'}/…`

function parseLetter(text: string): Letter {
  const letter = JSON.parse(text) as Partial<Letter> | null
  if (
    typeof letter?.to !== 'string' ||
    letter.event?.schema !== 'gocore-event' ||
    !Array.isArray(letter.event.events)
  )
    throw new Error('not an event')
  return letter as Letter
}

/** The key in a file, without the newline that editors put. */
function keyOf(path: string): Buffer {
  const text = readRegularFile(path, mostBytes).replace(/\r?\n$/, '')
  if (text === '') throw new Error(`the key in ${path} is empty`)
  return Buffer.from(text)
}
