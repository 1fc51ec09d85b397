/** Numbers of users that belong to one: programs in a user's own namespaces run as these, subuid(5). */
import { readRegularFile } from './regular-file.ts'

const mostBytes = 1 << 20

/**
 * The first number of the range that holds this one, or the number itself: who has 65,536 users is one of them where users
 * take turns. Never throws.
 */
export function rangeOf(uid: number, file = '/etc/subuid'): number {
  try {
    for (const line of readRegularFile(file, mostBytes).split('\n')) {
      const [, start, count] = /^[^:]+:([0-9]{1,10}):([0-9]{1,10})$/.exec(line) ?? []
      if (Number(start) <= uid && uid < Number(start) + Number(count)) return Number(start)
    }
  } catch {
    // There are none, or nobody may know.
  }
  return uid
}
