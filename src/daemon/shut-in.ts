/**
 * How a process that analyses or encrypts shuts itself in: it has opened what it needs, and from here on computes and writes
 * its answer. No file is opened, no socket, no process, no other process's memory.
 */
import { landlockAll } from '../base/landlock.ts'
import { canMakeRing, refuseCalls } from '../base/seccomp.ts'
import { foreignCalls } from '../base/system-calls.ts'
import type { Account } from './account.ts'

let asked = false

/**
 * Keeps this process and its children to come from making rings (io_uring): libuv makes one for its changes to epoll when
 * it starts, and ends the process where the kernel takes it away later, as `shutIn` does. Without, it does as it did
 * before there were any.
 */
export function forgoRings(): void {
  if (asked) return
  asked = true
  refuseCalls(['io_uring_setup'], 'this thread')
}

/** Becomes that user and shuts this process in for good, all its threads; false where that can't be had here. */
export function shutIn(account?: Account): boolean {
  if (account !== undefined) {
    process.setgroups!([account.gid])
    process.setgid!(account.gid)
    process.setuid!(account.uid)
  }
  landlockAll()
  // Who runs code of their own here could ask a ring for files, which then is between them and the rights of this user.
  const mayHaveRing = canMakeRing()
  return refuseCalls([
    ...foreignCalls.filter(call => call !== 'io_uring_enter' || !mayHaveRing),
    // abort(3) signals a thread of its own process.
    { call: 'tgkill', unless: { argument: 0, is: process.pid } },
    ...(['open', 'creat', 'openat', 'openat2', 'socket', 'connect', 'sendto', 'sendmsg', 'kill'] as const),
    ...(['unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'mkdir', 'mkdirat'] as const),
    ...(['fchmod', 'fchown', 'fsetxattr'] as const),
  ])
}
