/**
 * What the handler gives up once its files are open: the kernel starts it as root with every capability, and from there on it
 * reads what a stranger's process was made of. Capabilities are a thread's own: each gives up its own, and those that it
 * starts have no more. The filter of system calls holds for all threads at once, V8's among them. Whatever of this can't be
 * had here is done without.
 */
import { capability, keepOnly } from '../base/capabilities.ts'
import { landlockWrites } from '../base/landlock.ts'
import { refuseCalls } from '../base/seccomp.ts'
import { foreignCalls, openSystemCalls, type SystemCalls } from '../base/system-calls.ts'

/** For an archive and spool that may be somebody else's, and files that are given to a group. */
const forStorage = [capability.chown, capability.dacOverride, capability.dacReadSearch, capability.fowner]

/** Beside storage, what a larger pipe takes, and a thread that makes haste again. */
const kept = {
  held: [...forStorage, capability.sysNice, capability.sysResource],
  released: forStorage,
} as const

/** The calling thread keeps what it needs while a process is held, or behind that. */
export const keepCapabilities = (phase: keyof typeof kept): void => keepOnly(kept[phase])

/** asm-generic/resource.h. */
const resource = { core: 4, files: 7 } as const

/**
 * Takes from the whole process what no part of it does: programs, other processes, the network, the machine's settings. Not
 * bounded is memory: each thread's heap counts as half a gigabyte of data from its start, of which next to nothing is used.
 */
export function confineProcess(): void {
  const calls = openSystemCalls()
  if (calls === undefined) return
  // What the kernel gives its handlers, and no dump of one of them is begun; a replay may have more.
  limit(calls, resource.core, 1)
  limit(calls, resource.files, 2048)
  refuseCalls([
    // libuv has its ring already.
    ...foreignCalls.filter(call => call !== 'io_uring_enter'),
    // The daemon's socket is one of the machine's own.
    { call: 'socket', unless: { argument: 0, is: AF_UNIX } },
    ...(['kill', 'tgkill'] as const).map(call => ({ call, unless: { argument: 0, is: process.pid } })),
  ])
}

/** The calling thread writes below this directory alone: what is checked by path holds, whatever becomes of the path later. */
export function confineWrites(directory: string): void {
  try {
    landlockWrites(directory)
  } catch {
    // It could not be begun there.
  }
}

const AF_UNIX = 1

/** Soft and hard limit, where it isn't lower already. */
function limit(calls: SystemCalls, which: number, most: number): void {
  const now = Buffer.alloc(16)
  if (calls.call('prlimit64', 0, which, 0, now) !== 0) return
  const value = BigInt(most)
  for (const at of [0, 8]) if (now.readBigUInt64LE(at) > value) now.writeBigUInt64LE(value, at)
  calls.call('prlimit64', 0, which, now, 0)
}
