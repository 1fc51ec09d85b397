/**
 * Links of other users. In a directory that all may write, a name that is about to be written may be a link that leads to a
 * file or a device of whoever writes it.
 */
import { lstatSync } from 'node:fs'
import { SystemError } from '../base/errors.ts'

export const isForeign = (uid: number): boolean => uid !== 0 && uid !== process.geteuid?.()

/** Whether a link is at the path that may be followed: one's own, or root's as /dev/stdout. Throws SystemError of another's. */
export function hasOwnLink(path: string, hint = ''): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isSymbolicLink()) return false
  if (isForeign(stat.uid)) throw new SystemError(`${path} is a symbolic link of user ${stat.uid}'s${hint}.`)
  return true
}
