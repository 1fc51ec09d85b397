/**
 * The boots of this machine in which a daemon ran, by their ids (random(4), boot_id): STATE/boots, an id a line. What is of
 * one of them is this machine's, and of an earlier boot; machines that were made from one image share their other names.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { bootId } from '../base/host-ids.ts'

/** The newest; whatever waits for its end longer than so many boots does so for a little longer. */
const mostBoots = 100

/** Those before this one, which is noted. Throws where it can't be. */
export function earlierBoots(state: string): Set<string> {
  const path = join(state, 'boots')
  const boots = readBoots(path)
  const now = bootId()
  if (now !== undefined && boots.at(-1) !== now) {
    const lines = [...boots.filter(boot => boot !== now), now].slice(-mostBoots)
    writeFileAtomic(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  }
  return new Set(boots.filter(boot => boot !== now))
}

function readBoots(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
