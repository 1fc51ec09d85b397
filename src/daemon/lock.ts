/** One daemon per state directory. */
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePath } from '../base/directory.ts'
import { reasonOf, SystemError } from '../base/errors.ts'
import { takeFileLock } from '../catalog/index.ts'

/** Throws a SystemError that names the other's process id where there is another. */
export function takeLock(state: string): Disposable {
  const pidFile = join(state, 'daemon.pid')
  let lock: Disposable | undefined
  try {
    makePath(state, 0o750)
    // SQLite has other words for it.
    accessSync(state, constants.W_OK | constants.X_OK)
    lock = takeFileLock(join(state, 'daemon.lock'))
    if (lock) writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    throw new SystemError(`Cannot lock ${state}: ${reasonOf(error)}`, { cause: error })
  }
  if (lock) return lock
  throw new SystemError(
    `A gocore-sink daemon already runs for ${state}${pidIn(pidFile)}; this one does not start`,
  )
}

function pidIn(file: string): string {
  try {
    const pid = readFileSync(file, 'utf8').trim()
    return /^\d+$/.test(pid) ? ` (pid ${pid})` : ''
  } catch {
    return ''
  }
}
