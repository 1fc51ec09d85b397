/**
 * What retention does, as a pure function: which dumps are deleted, which are shrunk to mini-cores, by which rule, in which
 * order. `gocore-sink.conf(5)` documents the order, which is that of the functions below.
 */

export interface RetentionEntry {
  readonly id: string
  readonly day: string
  /** From when its age counts, milliseconds since the epoch. */
  readonly time: number
  /** Bytes that deleting it gives back, executables aside. */
  readonly size: number
  /** Of those, the core's, which shrinking makes fewer; absent: all of them. */
  readonly core?: number
  /** Keys of the executables that it names, which go with the last dump that does. */
  readonly binaries?: readonly string[]
  /** Somebody wants it kept, pinned or on hold: it is neither deleted nor shrunk. */
  readonly pinned: boolean
  /** Whose quota it counts for. */
  readonly program?: string
  /** Equal for crashes of one kind; absent where it is not known. */
  readonly signature?: string
  /** A mini-core can be made of it. */
  readonly shrinkable?: boolean
}

/** Durations in seconds, sizes in bytes; null: no such limit. */
export interface RetentionPolicy {
  readonly maxAge: number | null
  readonly maxSize: number | null
  readonly keepFree: number | null
  /** So many of the first and of the latest dumps of a signature are kept whole while there is room; absent as 0. */
  readonly keepFirst?: number
  readonly keepLatest?: number
  /** The others are shrunk when they are so old, or when room is needed; null or absent: never. */
  readonly shrinkAfter?: number | null
  /** What one program's dumps may take, and how many there may be. */
  readonly programMaxSize?: number | null
  readonly programMaxCount?: number | null
}

/** Bytes that the archive takes, and that its file system has free. */
export interface ArchiveUsage {
  readonly used: number
  readonly free: number
  /** Bytes of the executables, by their keys, that are deleted once no dump names them. */
  readonly binaries?: ReadonlyMap<string, number>
  /** Nothing can be written, whatever is free: inodes or a quota are used up. */
  readonly isFull?: boolean
}

export type RetentionRule = 'age' | 'alike' | 'program-count' | 'program-size' | 'size' | 'keep-free' | 'full'

export interface RetentionStep extends RetentionEntry {
  readonly action: 'delete' | 'shrink'
  readonly rule: RetentionRule
}

/**
 * What a mini-core is counted as before it is made, of the size of the whole one: more than most take, so that a run
 * leaves too much rather than too little only where cores are small.
 */
const shareOfMini = 0.1

/** Bytes that shrinking a core of `size` bytes is expected to give back. */
export const expectedGain = (size: number): number => Math.floor(size * (1 - shareOfMini))

/** The same of a dump. */
export const gainOf = ({ size, core = size }: RetentionEntry): number => expectedGain(core)

/**
 * The steps that bring the archive within `policy`, in their order. Pinned dumps stay as they are, whatever that means for
 * the limits; each other dump is deleted or shrunk for the first rule that asks for it, and none that no rule needs.
 */
export function planRetention(
  entries: readonly RetentionEntry[],
  policy: RetentionPolicy,
  usage: ArchiveUsage,
  now: number,
): RetentionStep[] {
  const plan = new Plan(entries, policy, usage, now)
  plan.deleteOld()
  plan.findSpare()
  plan.shrinkSpare()
  plan.keepQuotas()
  plan.keepLimits()
  plan.makeRoom()
  return plan.steps()
}

class Plan {
  /** Not deleted so far, oldest first. */
  #left: readonly RetentionEntry[]
  readonly #policy: RetentionPolicy
  readonly #now: number
  #used: number
  #free: number
  #isFull: boolean
  readonly #steps: RetentionStep[] = []
  readonly #deleted = new Set<string>()
  readonly #shrunk = new Set<string>()
  #spare: ReadonlySet<RetentionEntry> = new Set()
  readonly #binaries: ReadonlyMap<string, number>
  /** Of each executable, how many of the dumps that are left name it. */
  readonly #users = new Map<string, number>()
  /** Bytes of the program whose turn it is. */
  #ofProgram = 0

  constructor(
    entries: readonly RetentionEntry[],
    policy: RetentionPolicy,
    { used, free, binaries = new Map(), isFull = false }: ArchiveUsage,
    now: number,
  ) {
    this.#left = entries.toSorted(byAge)
    this.#binaries = binaries
    this.#policy = policy
    this.#used = used
    this.#free = free
    this.#isFull = isFull
    this.#now = now
    for (const key of entries.flatMap(({ binaries = [] }) => binaries))
      this.#users.set(key, (this.#users.get(key) ?? 0) + 1)
    // Those that nobody names go whatever becomes of the dumps.
    for (const [key, bytes] of binaries)
      if (!this.#users.has(key)) {
        this.#giveBack(bytes)
        this.#isFull = false
      }
  }

  /** What is deleted after all need not be shrunk before. */
  steps(): RetentionStep[] {
    return this.#steps.filter(({ action, id }) => action === 'delete' || !this.#deleted.has(id))
  }

  deleteOld(): void {
    const { maxAge } = this.#policy
    if (maxAge === null) return
    for (const entry of this.#left)
      if (this.#now - entry.time > maxAge * 1000 && !entry.pinned) this.#delete(entry, 'age')
    this.#forgetDeleted()
  }

  /** Those that are neither among the first nor among the latest of their signature. */
  findSpare(): void {
    const { keepFirst = 0, keepLatest = 0, shrinkAfter = null } = this.#policy
    if (shrinkAfter === null) return
    const alike = Map.groupBy(this.#left, ({ signature }) => signature)
    alike.delete(undefined)
    const kept = new Set<RetentionEntry>()
    for (const group of alike.values()) {
      for (const entry of group.slice(0, keepFirst)) kept.add(entry)
      if (keepLatest > 0) for (const entry of group.slice(-keepLatest)) kept.add(entry)
    }
    this.#spare = new Set(
      this.#left.filter(
        entry => entry.shrinkable && !entry.pinned && entry.signature !== undefined && !kept.has(entry),
      ),
    )
  }

  shrinkSpare(): void {
    const after = (this.#policy.shrinkAfter ?? 0) * 1000
    for (const entry of this.#spare) if (this.#now - entry.time >= after) this.#shrink(entry, 'alike')
  }

  /** Each program by itself, in the order of their names. */
  keepQuotas(): void {
    const { programMaxCount = null, programMaxSize = null } = this.#policy
    if (programMaxCount === null && programMaxSize === null) return
    const programs = [...Map.groupBy(this.#left, ({ program }) => program ?? '')]
    for (const [, entries] of programs.sort(([a], [b]) => (a < b ? -1 : 1))) {
      let count = entries.length
      this.#ofProgram = entries.reduce((sum, entry) => sum + this.#sizeOf(entry), 0)
      for (const entry of entries) {
        if (programMaxCount === null || count <= programMaxCount) break
        if (entry.pinned) continue
        this.#delete(entry, 'program-count')
        count--
      }
      if (programMaxSize !== null)
        this.#make(entries, () => (this.#ofProgram > programMaxSize ? 'program-size' : undefined))
    }
    this.#forgetDeleted()
  }

  keepLimits(): void {
    const { maxSize, keepFree } = this.#policy
    this.#make(this.#left, () => {
      if (maxSize !== null && this.#used > maxSize) return 'size'
      return keepFree !== null && this.#free < keepFree ? 'keep-free' : undefined
    })
  }

  /** Where nothing else is deleted: how much it takes is not known, so the oldest twentieth goes. */
  makeRoom(): void {
    if (!this.#isFull || this.#deleted.size > 0) return
    const left = this.#left.filter(({ pinned }) => !pinned)
    for (const entry of left.slice(0, Math.ceil(left.length / 20))) this.#delete(entry, 'full')
  }

  /**
   * As long as a rule asks for room: spare ones are shrunk, however young, then the others, since that is better than to
   * delete them; then the oldest are deleted.
   */
  #make(entries: readonly RetentionEntry[], asks: () => RetentionRule | undefined): void {
    const left = entries.filter(({ id, pinned }) => !pinned && !this.#deleted.has(id))
    const mayShrink = (this.#policy.shrinkAfter ?? null) !== null
    const whole = mayShrink ? left.filter(entry => entry.shrinkable && !this.#shrunk.has(entry.id)) : []
    const isSpare = (entry: RetentionEntry): boolean => this.#spare.has(entry)
    for (const entry of [...whole.filter(isSpare), ...whole.filter(entry => !isSpare(entry))]) {
      const rule = asks()
      if (rule === undefined) return
      this.#shrink(entry, rule)
    }
    for (const entry of left) {
      const rule = asks()
      if (rule === undefined) return
      this.#delete(entry, rule)
    }
  }

  #sizeOf(entry: RetentionEntry): number {
    if (this.#deleted.has(entry.id)) return 0
    return this.#shrunk.has(entry.id) ? entry.size - gainOf(entry) : entry.size
  }

  #delete(entry: RetentionEntry, rule: RetentionRule): void {
    this.#giveBackOfProgram(this.#sizeOf(entry))
    for (const key of entry.binaries ?? []) {
      const users = this.#users.get(key)! - 1
      this.#users.set(key, users)
      if (users === 0) this.#giveBack(this.#binaries.get(key) ?? 0)
    }
    this.#deleted.add(entry.id)
    this.#steps.push({ ...entry, action: 'delete', rule })
  }

  #shrink(entry: RetentionEntry, rule: RetentionRule): void {
    if (this.#shrunk.has(entry.id)) return
    this.#giveBackOfProgram(gainOf(entry))
    this.#shrunk.add(entry.id)
    this.#steps.push({ ...entry, action: 'shrink', rule })
  }

  #giveBack(bytes: number): void {
    this.#used -= bytes
    this.#free += bytes
  }

  #giveBackOfProgram(bytes: number): void {
    this.#giveBack(bytes)
    this.#ofProgram -= bytes
  }

  #forgetDeleted(): void {
    this.#left = this.#left.filter(({ id }) => !this.#deleted.has(id))
  }
}

/** Those of one age stay in the order in which they come. */
const byAge = (a: RetentionEntry, b: RetentionEntry): number => a.time - b.time
