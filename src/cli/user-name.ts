/** Who types, for what others read later. */
import { userInfo } from 'node:os'

/** The number of a user who has no name here, as in many containers. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.geteuid?.())
  }
}
