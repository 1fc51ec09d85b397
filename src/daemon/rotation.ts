/**
 * Which days a scan looks through for manifests that were written anew, on another node of the archive's: the newest each
 * time, the older ones by turns, so that a scan of an archive of years has a bounded number of files to look at.
 */

/** Days that most changes are made on. */
const newest = 2

export class Rotation {
  readonly #most: number
  /** The day that the next scan begins with; the newest of the older ones where it is undefined. */
  #next: string | undefined

  /** `most` dumps for each scan; a day is looked at as a whole, and one is looked at in any case. */
  constructor(most: number) {
    this.#most = most
  }

  /** Of `days`, newest first, those whose turn it is; `count` answers how many dumps a day has. */
  take(days: readonly string[], count: (day: string) => number): Set<string> {
    const taken = new Set(days.slice(0, newest))
    const older = days.slice(newest)
    const found = older.findIndex(day => this.#next !== undefined && day <= this.#next)
    const from = Math.max(0, found)
    let left = this.#most - [...taken].reduce((sum, day) => sum + count(day), 0)
    let at = 0
    for (; at < older.length && (at === 0 || left > 0); at++) {
      const day = older[(from + at) % older.length]!
      taken.add(day)
      left -= count(day)
    }
    this.#next = at < older.length ? older[(from + at) % older.length] : undefined
    return taken
  }
}
