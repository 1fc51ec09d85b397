/** Which dumps to delete, as a pure function: by age, by the archive's size, by what the file system has left. */

export interface RetentionEntry {
  readonly id: string
  readonly day: string
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Bytes that deleting it gives back. */
  readonly size: number
  readonly pinned: boolean
}

/** `maxAge` in seconds, the others in bytes; null: no such limit. */
export interface RetentionPolicy {
  readonly maxAge: number | null
  readonly maxSize: number | null
  readonly keepFree: number | null
}

/** Bytes that the archive takes, and that its file system has free. */
export interface ArchiveUsage {
  readonly used: number
  readonly free: number
}

export interface Deletion extends RetentionEntry {
  readonly rule: 'age' | 'size' | 'keep-free'
}

/**
 * The deletions that bring the archive within `policy`, oldest first. Pinned dumps stay, whatever that means for the
 * limits; each other dump goes for the first rule that asks for it, and none goes that no rule needs.
 */
export function planRetention(
  entries: readonly RetentionEntry[],
  policy: RetentionPolicy,
  usage: ArchiveUsage,
  now: number,
): Deletion[] {
  const { maxAge, maxSize, keepFree } = policy
  let { used, free } = usage
  const deletions: Deletion[] = []
  for (const entry of entries.filter(({ pinned }) => !pinned).toSorted(byAge)) {
    let rule: Deletion['rule']
    if (maxAge !== null && now - entry.time > maxAge * 1000) rule = 'age'
    else if (maxSize !== null && used > maxSize) rule = 'size'
    else if (keepFree !== null && free < keepFree) rule = 'keep-free'
    // What follows is younger still, and the limits are met.
    else break
    deletions.push({ ...entry, rule })
    used -= entry.size
    free += entry.size
  }
  return deletions
}

const byAge = (a: RetentionEntry, b: RetentionEntry): number => a.time - b.time || (a.id < b.id ? -1 : 1)
