/** Which process it was: a number comes again, its time of start does not. */
import { readFileSync, readlinkSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  readonly pid_namespace?: string
  /** Clock ticks from the boot to its start, proc_pid_stat(5) field 22. */
  readonly started?: number
}

/** This process, as far as /proc tells. */
export function ownIdentity(): ProcessIdentity {
  const started = startOf(process.pid)
  return { pid: process.pid, ...pidNamespace(), ...(started === undefined ? {} : { started }) }
}

export function pidNamespace(): { pid_namespace?: string } {
  try {
    return { pid_namespace: readlinkSync('/proc/self/ns/pid') }
  } catch {
    return {}
  }
}

/** Whether it runs, visible in /proc or not: its number is taken in our PID namespace, by nobody who began later. */
export function isAlive({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = started === undefined ? undefined : startOf(pid)
  return now === undefined || now === started
}

/** Undefined where /proc does not tell, or speaks of another namespace's numbers. */
function startOf(pid: number): number | undefined {
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) return undefined
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, field 2, may hold blanks and brackets.
    const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
    return Number.isSafeInteger(started) ? started : undefined
  } catch {
    return undefined
  }
}
