/**
 * Delivers what lies in an outbox until it is empty: each receiver's letters in their order, a receiver that fails again
 * later and later, the others meanwhile. A letter that is a day old is given up when it fails again.
 */
import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { readRegularFile } from '../../base/regular-file.ts'
import type { Hooks } from '../../config/index.ts'
import type { Log } from '../log.ts'
import { type Delivery, postEvent, runHook } from './deliver.ts'
import { type Letter, Outbox } from './outbox.ts'

export interface PostmanOptions {
  readonly directory: string
  /** Asked for each letter: the configuration may have changed. */
  readonly hooks: () => Hooks
  readonly log: Log
  /** Milliseconds to the second attempt, and at most. */
  readonly pause?: { readonly first: number; readonly most: number }
  /** Milliseconds after which a letter is given up. */
  readonly patience?: number
  readonly signal?: AbortSignal
}

const mostBytes = 1 << 20
/** How often a postman who waits looks for letters to others. */
const lookMs = 2000
const strayMs = 60_000

export class Postman {
  readonly #options: PostmanOptions
  readonly #outbox: Outbox
  /** `until` by `performance.now()`. */
  readonly #waiting = new Map<string, { until: number; pause: number }>()

  constructor(options: PostmanOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.directory, undefined)
  }

  /** Ends when no letter is left, or by the signal. */
  async run(): Promise<void> {
    const { signal, pause = { first: 5000, most: 600_000 } } = this.#options
    for (;;) {
      const letters = this.#read()
      if (signal?.aborted || (letters.length === 0 && !this.#hasStrays())) return
      const receivers = Map.groupBy(letters, ({ letter }) => letter.to)
      const rounds = [...receivers].map(([to, own]) => this.#deliverAll(to, own))
      await Promise.all(rounds)
      if (this.#outbox.letters().length > 0 || letters.length === 0)
        await sleep(Math.min(lookMs, pause.first), undefined, { signal }).catch(() => {})
    }
  }

  /** A directory that is never empty would have this started for ever. What was being written a minute ago will not be. */
  #hasStrays(): boolean {
    const strays = this.#outbox.strays()
    for (const name of strays) {
      const path = join(this.#options.directory, name)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat && Date.now() - stat.mtimeMs > strayMs) rmSync(path, { force: true, recursive: true })
    }
    return strays.length > 0
  }

  async #deliverAll(to: string, letters: readonly { name: string; letter: Letter }[]): Promise<void> {
    const { log, signal, pause = { first: 5000, most: 600_000 }, patience = 24 * 60 * 60_000 } = this.#options
    const waiting = this.#waiting.get(to)
    for (const { name, letter } of letters) {
      if (waiting !== undefined && waiting.until > performance.now()) return
      if (signal?.aborted) return
      const delivery = await this.#deliver(letter)
      // By a clock that may have been set since: no letter is given up for its age without an attempt.
      const isOld = Date.now() - Number(name.slice(0, 13)) > patience
      const what = `${to === 'command' ? 'the hook' : to} of dump ${letter.event.id}`
      if (delivery.state === 'again' && !isOld) {
        const next = Math.min(pause.most, (waiting?.pause ?? pause.first / 2) * 2)
        this.#waiting.set(to, { until: performance.now() + next, pause: next })
        log.warning(`Could not tell ${what}, trying again in ${next / 1000} s: ${delivery.reason}`)
        return
      }
      if (delivery.state !== 'done') log.warning(`Gave up telling ${what}: ${delivery.reason}`)
      else this.#waiting.delete(to)
      rmSync(join(this.#options.directory, name), { force: true })
    }
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
        rmSync(join(directory, name), { force: true })
        return []
      }
    })
  }
}

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
