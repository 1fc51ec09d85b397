/**
 * Crashes that wait for a handler. Users take turns, so that nobody who crashes a thousand times keeps the others waiting for
 * all of them; who has waited too long, or finds too many before it, is sent away. Where the line is full, it is the user
 * with most in it who has too many.
 */

export interface LineOptions<T> {
  /** Entries at a time. */
  readonly most: number
  readonly sendAway: (entry: T, waited: number) => void
}

interface Waiting<T> {
  readonly entry: T
  readonly since: number
  readonly timer: NodeJS.Timeout
}

export class Line<T> {
  readonly #options: LineOptions<T>
  /** By user, whose turn it is first. */
  readonly #users = new Map<number, Waiting<T>[]>()
  #length = 0

  constructor(options: LineOptions<T>) {
    this.#options = options
  }

  get length(): number {
    return this.#length
  }

  /** `longest` in milliseconds. */
  add(uid: number, entry: T, longest: number): void {
    if (this.#length >= this.#options.most && !this.#makeRoom(uid)) {
      this.#options.sendAway(entry, 0)
      return
    }
    const since = performance.now()
    const timer = setTimeout(() => {
      this.#sendAway(uid, waiting)
    }, longest)
    const waiting = { entry, since, timer }
    const own = this.#users.get(uid)
    if (own === undefined) this.#users.set(uid, [waiting])
    else own.push(waiting)
    this.#length++
  }

  /** The next one, of those users who may, and for how many milliseconds it has waited. */
  next(mayEnter: (uid: number) => boolean): { entry: T; waited: number } | undefined {
    const first = this.#users.entries().find(([uid]) => mayEnter(uid))
    if (first === undefined) return undefined
    const [uid, own] = first
    const waiting = own[0]!
    this.#remove(uid, waiting)
    // To the end of the users.
    if (this.#users.delete(uid) && own.length > 0) this.#users.set(uid, own)
    return { entry: waiting.entry, waited: performance.now() - waiting.since }
  }

  /** Sends away all who wait. */
  clear(): void {
    for (const [uid, own] of [...this.#users]) for (const waiting of [...own]) this.#sendAway(uid, waiting)
  }

  /** Sends away the last one of the user with most, if that is more than this one has with another. */
  #makeRoom(uid: number): boolean {
    const [[fullest, theirs] = [uid, []]] = [...this.#users].sort(([, a], [, b]) => b.length - a.length)
    const last = theirs.at(-1)
    if (last === undefined || theirs.length <= (this.#users.get(uid)?.length ?? 0) + 1) return false
    this.#sendAway(fullest, last)
    return true
  }

  #sendAway(uid: number, waiting: Waiting<T>): void {
    this.#remove(uid, waiting)
    this.#options.sendAway(waiting.entry, performance.now() - waiting.since)
  }

  #remove(uid: number, waiting: Waiting<T>): void {
    clearTimeout(waiting.timer)
    const own = this.#users.get(uid)!
    own.splice(own.indexOf(waiting), 1)
    if (own.length === 0) this.#users.delete(uid)
    this.#length--
  }
}
