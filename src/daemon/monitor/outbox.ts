/**
 * Events on their way, one file for each and each receiver: written whole by the daemon, removed by who delivers them. They
 * outlive both. The directory is shared with the group that delivers; nothing in it is believed beyond that.
 */
import { readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { makePath, setDirectoryRights } from '../../base/directory.ts'
import type { CrashEvent } from './crash-event.ts'

/** `to`: `command`, or the address of a webhook. */
export interface Letter {
  readonly to: string
  readonly event: CrashEvent
}

/** Nobody fetched the last ones: more would fill the disk with what nobody reads. */
const mostLetters = 5000
export const letterPattern = /^\d{13}-[a-z2-7]{12}-\d{1,4}\.json$/
/** In the place of a letter that was given up, for the daemon to count; a stray for who delivers, whom it outlives not long. */
const givenUp = '.given-up'

/** When a letter was put, milliseconds of the clock. */
export const putAt = (name: string): number => Number(name.slice(0, 13))

export class Outbox {
  readonly #directory: string
  readonly #gid: number | undefined

  /** `gid`: the group of who delivers; undefined for the daemon's own. */
  constructor(directory: string, gid: number | undefined) {
    this.#directory = directory
    this.#gid = gid
  }

  /** Puts one letter for each receiver, or none where one can't be written. Answers false where too many lie there already. */
  put(event: CrashEvent, receivers: readonly string[]): boolean {
    this.#prepare()
    if (this.letters().length + receivers.length > mostLetters) return false
    const access = { mode: this.#gid === undefined ? 0o600 : 0o640, gid: this.#gid }
    const now = String(Date.now()).padStart(13, '0')
    const paths = receivers.map((_, at) => join(this.#directory, `${now}-${event.id}-${at}.json`))
    try {
      for (const [at, to] of receivers.entries())
        writeFileAtomic(paths[at]!, JSON.stringify({ to, event } satisfies Letter), access)
    } catch (error) {
      // It is put again later, under another name.
      for (const path of paths) rmSync(path, { force: true })
      throw error
    }
    return true
  }

  letters(): string[] {
    try {
      return readdirSync(this.#directory)
        .filter(name => letterPattern.test(name))
        .sort()
    } catch {
      return []
    }
  }

  /** What is no letter: half-written ones, of now or of a daemon that was killed, and whatever else lies there. */
  strays(): string[] {
    try {
      return readdirSync(this.#directory).filter(name => !letterPattern.test(name))
    } catch {
      return []
    }
  }

  giveUp(letter: string): void {
    try {
      writeFileSync(join(this.#directory, letter + givenUp), '', { flag: 'wx' })
    } catch {
      // It is not counted.
    }
    rmSync(join(this.#directory, letter), { force: true })
  }

  /** How many were given up since this was asked last. */
  takeGivenUp(): number {
    let count = 0
    for (const name of this.strays().filter(stray => stray.endsWith(givenUp))) {
      try {
        unlinkSync(join(this.#directory, name))
        count++
      } catch {
        // Who delivers has taken it away, or made something else of it.
      }
    }
    return count
  }

  #prepare(): void {
    makePath(this.#directory, 0o700)
    setDirectoryRights(this.#directory, this.#gid === undefined ? 0o700 : 0o770, this.#gid)
  }
}
