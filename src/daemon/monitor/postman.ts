/**
 * Delivers what lies in an outbox until it is empty: each receiver's letters in their order, the receivers beside each other. A
 * letter that fails is tried again later and later, behind those that have not failed; where two fail in a row the fault is the
 * receiver's, which is left alone for as long. A letter that is a day old is given up when it fails again.
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
  /** Of letters and receivers, by their names; `until` by `performance.now()`. */
  readonly #waiting = new Map<string, { until: number; pause: number }>()
  /** Under way, by receiver. */
  readonly #rounds = new Map<string, Promise<void>>()

  constructor(options: PostmanOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.directory, undefined)
  }

  /** Ends when no letter is left, or by the signal. */
  async run(): Promise<void> {
    const { signal, pause = { first: 5000, most: 600_000 } } = this.#options
    for (;;) {
      const letters = this.#read()
      const isIdle = letters.length === 0 && this.#rounds.size === 0
      if (signal?.aborted || (isIdle && !this.#hasStrays())) break
      for (const [to, own] of Map.groupBy(letters, ({ letter }) => letter.to))
        if (!this.#rounds.has(to))
          this.#rounds.set(
            to,
            this.#deliverAll(to, own).finally(() => this.#rounds.delete(to)),
          )
      const end = new AbortController()
      const signals = signal === undefined ? [end.signal] : [end.signal, signal]
      const look = sleep(Math.min(lookMs, pause.first), undefined, { signal: AbortSignal.any(signals) })
      const looked = look.catch(() => {})
      // One that is slow keeps nobody from the letters that have come to others.
      await Promise.race([Promise.all(this.#rounds.values()), looked])
      if (this.#outbox.letters().length > 0 || letters.length === 0) await looked
      end.abort()
    }
    await Promise.all(this.#rounds.values())
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
    const { log, signal, patience = 24 * 60 * 60_000 } = this.#options
    const hasFailed = ({ name }: { name: string }): number => (this.#waiting.has(name) ? 1 : 0)
    let failures = 0
    for (const { name, letter } of letters.toSorted((a, b) => hasFailed(a) - hasFailed(b))) {
      if (signal?.aborted || this.#isPaused(to)) return
      if (this.#isPaused(name)) continue
      const delivery = await this.#deliver(letter)
      // By a clock that may have been set since: no letter is given up for its age without an attempt.
      const isOld = Date.now() - Number(name.slice(0, 13)) > patience
      const what = `${nameOf(to)} of dump ${letter.event.id}`
      if (delivery.state === 'again' && !isOld) {
        const next = this.#pause(name)
        log.warning(`Could not tell ${what}, trying again in ${next / 1000} s: ${delivery.reason}`)
        if (++failures === 2) this.#pause(to)
        continue
      }
      if (delivery.state !== 'done') log.warning(`Gave up telling ${what}: ${delivery.reason}`)
      else {
        this.#waiting.delete(to)
        failures = 0
      }
      this.#waiting.delete(name)
      rmSync(join(this.#options.directory, name), { force: true })
    }
  }

  #isPaused(name: string): boolean {
    return (this.#waiting.get(name)?.until ?? 0) > performance.now()
  }

  /** Answers how long, milliseconds. */
  #pause(name: string): number {
    const { pause = { first: 5000, most: 600_000 } } = this.#options
    const next = Math.min(pause.most, (this.#waiting.get(name)?.pause ?? pause.first / 2) * 2)
    this.#waiting.set(name, { until: performance.now() + next, pause: next })
    return next
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

/** Of an address, no more than whose it is: the rest is often its only secret. */
function nameOf(to: string): string {
  if (to === 'command') return 'the hook'
  return URL.canParse(to) ? `${new URL(to).origin}/…` : 'a receiver that is no address'
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
