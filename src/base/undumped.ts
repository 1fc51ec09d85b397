/**
 * A process of which no core is made, whatever happens to it. What holds a crashed process's memory asks for that, and what
 * takes dumps must: the kernel would hold it until somebody has taken its own.
 */
import { openSystemCalls } from './system-calls.ts'

const PR_SET_DUMPABLE = 4

/** Holds for the process that calls, and for no program that it starts. */
export function forgoDumps(): void {
  openSystemCalls()?.call('prctl', PR_SET_DUMPABLE, 0)
}
