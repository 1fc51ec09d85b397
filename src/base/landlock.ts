/**
 * Landlock (Documentation/userspace-api/landlock.rst): takes all files, TCP ports, other processes' signals and abstract
 * sockets from the calling thread and those that it makes, for good. What is open stays open. A second lock behind seccomp,
 * which knows calls and not what they are asked for; kernels from 5.13 on have it, where it is switched on.
 */
import { forgoPrivileges, openSystemCalls } from './system-calls.ts'

const LANDLOCK_CREATE_RULESET_VERSION = 1

/** What a version of the interface can take: linux/landlock.h, LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*. */
function everything(version: number): Buffer {
  const files = version < 2 ? 13 : version < 3 ? 14 : version < 5 ? 15 : 16
  const bits = (count: number): bigint => (1n << BigInt(count)) - 1n
  const words = [bits(files), ...(version < 4 ? [] : [bits(2)]), ...(version < 6 ? [] : [bits(2)])]
  const attributes = Buffer.alloc(8 * words.length)
  for (const [i, word] of words.entries()) attributes.writeBigUInt64LE(word, 8 * i)
  return attributes
}

/** False where the kernel has no such thing. */
export function landlockAll(): boolean {
  const calls = openSystemCalls()
  if (calls === undefined) return false
  const version = calls.call('landlock_create_ruleset', 0, 0, LANDLOCK_CREATE_RULESET_VERSION)
  if (version < 1 || !forgoPrivileges(calls)) return false
  const attributes = everything(version)
  // Without a rule nothing is allowed. The descriptor is gone with this process, which can't close it by name.
  const ruleset = calls.call('landlock_create_ruleset', attributes, attributes.length, 0)
  return ruleset >= 0 && calls.call('landlock_restrict_self', ruleset, 0) === 0
}
