/** Whether a path leads where root alone decides: whoever may write a directory above it puts something else in its place. */
import { lstatSync, realpathSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Who else than root could replace what lies at `path`, or could put something there: the nearest place above it, and why;
 * undefined where nobody could. Links count where they stand and where they lead. In a directory with the sticky bit
 * (`/tmp`) nobody moves what is root's; the last of the path must not be one.
 */
export function whoElseMayWrite(path: string): { at: string; why: string; cure: string } | undefined {
  let existing = path
  while (lstatSync(existing, { throwIfNoEntry: false }) === undefined) existing = dirname(existing)
  for (let at = existing; at !== dirname(at); at = dirname(at)) {
    const found = doubt(at, lstatSync(at), true) ?? alongTheWay(realpathSync(at), path)
    if (found !== undefined) return found
  }
  return undefined
}

function alongTheWay(real: string, path: string): ReturnType<typeof whoElseMayWrite> {
  for (let at = real; ; at = dirname(at)) {
    const found = doubt(at, lstatSync(at), at !== path)
    if (found !== undefined || at === dirname(at)) return found
  }
}

function doubt(at: string, stat: Stats, isParent: boolean): ReturnType<typeof whoElseMayWrite> {
  if (stat.uid !== 0) return { at, why: `${at} belongs to user ${stat.uid}`, cure: `chown root ${at}` }
  const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0
  if (stat.isSymbolicLink() || (stat.mode & 0o022) === 0 || (isSticky && isParent)) return undefined
  const mode = (stat.mode & 0o7777).toString(8)
  return { at, why: `others than root may write ${at} (mode ${mode})`, cure: `chmod go-w ${at}` }
}
