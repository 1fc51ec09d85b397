/**
 * What a thread of this process does at this moment, as the kernel tells (proc_pid_status(5), proc_pid_syscall(5)). One
 * that waits for storage sleeps within a call, and the call's first arguments say of which file.
 */
import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs'

export interface ThreadState {
  /** How often it has left a processor so far: where that is as before, it has not run since. */
  readonly switches: number
  /** It sleeps and can't be interrupted, which is for disks and their like. */
  readonly isDeepAsleep: boolean
  /** It sleeps outside of any call, as over a page of a file that is mapped into memory. */
  readonly isOutside: boolean
  /** The path that the call is about in which it sleeps. */
  readonly sleepsOver: string | undefined
}

/** The number of the thread that asks. */
export const ownThread = (): number => Number(readlinkSync('/proc/thread-self').split('/').at(-1))

/** Undefined where the kernel does not tell, or there is no such thread any more. */
export function threadState(thread: number): ThreadState | undefined {
  const directory = `/proc/self/task/${thread}`
  try {
    const status = readFileSync(`${directory}/status`, 'latin1')
    const switches = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\t(\d+)/gm)]
    const state = /^State:\t(\w)/m.exec(status)?.[1]
    const [number, ...values] = state === 'S' || state === 'D' ? callOf(directory) : []
    return {
      switches: switches.reduce((sum, match) => sum + Number(match[1]), 0),
      isDeepAsleep: state === 'D',
      isOutside: number === '-1',
      sleepsOver: number === undefined || number === '-1' ? undefined : pathOf(values.map(Number)),
    }
  } catch {
    return undefined
  }
}

/** The call's number and arguments; -1 outside of any, `running`, and nothing where the kernel was built without it. */
function callOf(directory: string): string[] {
  try {
    return readFileSync(`${directory}/syscall`, 'latin1').trim().split(' ')
  } catch {
    return []
  }
}

function pathOf([first, second]: readonly number[]): string | undefined {
  if (first === undefined || second === undefined) return undefined
  // read(fd, …), open(path, …), openat(fd, path, …): whatever it is, a path tells itself.
  return [pathOfDescriptor(first), textAt(first), textAt(second)].find(text => text?.startsWith('/'))
}

function pathOfDescriptor(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

const longestPath = 4096

/** The text at this address of our own memory; undefined where there is none, as of arguments that are no address. */
function textAt(address: number): string | undefined {
  const fd = openSync('/proc/self/mem', 'r')
  try {
    const bytes = Buffer.alloc(longestPath)
    const length = readSync(fd, bytes, 0, longestPath, address)
    const end = bytes.subarray(0, length).indexOf(0)
    return end < 0 ? undefined : bytes.toString('utf8', 0, end)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}
