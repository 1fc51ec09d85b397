/**
 * The places of handlers at work. Whoever has one may keep it for as long as his memory takes to read, which can be a file
 * system of his own that gives a page now and then: where there are several, nobody has the last.
 */
export class Places {
  /** By user. */
  readonly #taken = new Map<number, number>()
  #all = 0

  hasFree(uid: number, most: number): boolean {
    return this.#all < most && (this.#taken.get(uid) ?? 0) < Math.max(1, most - 1)
  }

  take(uid: number): void {
    this.#add(uid, 1)
  }

  giveBack(uid: number): void {
    this.#add(uid, -1)
  }

  #add(uid: number, count: number): void {
    const own = (this.#taken.get(uid) ?? 0) + count
    if (own > 0) this.#taken.set(uid, own)
    else this.#taken.delete(uid)
    this.#all += count
  }
}
