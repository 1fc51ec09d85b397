/**
 * Landlock (Documentation/userspace-api/landlock.rst): takes rights to files and other things from the calling thread and
 * those that it makes, for good. What is open stays open. A second lock behind seccomp, which knows calls and not what they
 * are asked for; kernels from 5.13 on have it, where it is switched on.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { forgoPrivileges, openSystemCalls, type SystemCalls } from './system-calls.ts'

const LANDLOCK_CREATE_RULESET_VERSION = 1
const LANDLOCK_RULE_PATH_BENEATH = 1
/** LANDLOCK_ACCESS_FS_READ_FILE and _READ_DIR. */
const reading = 0b1100n

/** What a version of the interface can take: linux/landlock.h, LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*. */
function everything(version: number): Buffer {
  const files = version < 2 ? 13 : version < 3 ? 14 : version < 5 ? 15 : 16
  const bits = (count: number): bigint => (1n << BigInt(count)) - 1n
  const words = [bits(files), ...(version < 4 ? [] : [bits(2)]), ...(version < 6 ? [] : [bits(2)])]
  const attributes = Buffer.alloc(8 * words.length)
  for (const [i, word] of words.entries()) attributes.writeBigUInt64LE(word, 8 * i)
  return attributes
}

/** 0 where the kernel has no such thing. */
const versionOf = (calls: SystemCalls): number =>
  Math.max(0, calls.call('landlock_create_ruleset', 0, 0, LANDLOCK_CREATE_RULESET_VERSION))

/** All files, TCP ports, other processes' signals and abstract sockets are gone; false where that can't be had. */
export function landlockAll(): boolean {
  const calls = openSystemCalls()
  if (calls === undefined) return false
  const version = versionOf(calls)
  if (version < 1 || !forgoPrivileges(calls)) return false
  const attributes = everything(version)
  // Without a rule nothing is allowed. The descriptor is gone with this process, which can't close it by name.
  const ruleset = calls.call('landlock_create_ruleset', attributes, attributes.length, 0)
  return ruleset >= 0 && calls.call('landlock_restrict_self', ruleset, 0) === 0
}

/**
 * Below this directory alone is anything written, made, removed or renamed, whatever a path is made to lead to; reading stays
 * as it is. False where that can't be had.
 */
export function landlockWrites(directory: string): boolean {
  const calls = openSystemCalls()
  if (calls === undefined) return false
  const version = versionOf(calls)
  // The first version allows nothing to be renamed from one directory to another.
  if (version < 2 || !forgoPrivileges(calls)) return false
  const attributes = Buffer.from(everything(version).subarray(0, 8))
  const writing = attributes.readBigUInt64LE(0) & ~reading
  attributes.writeBigUInt64LE(writing, 0)
  const ruleset = calls.call('landlock_create_ruleset', attributes, attributes.length, 0)
  if (ruleset < 0) return false
  const parent = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    // struct landlock_path_beneath_attr, packed: the rights, and where.
    const rule = Buffer.alloc(12)
    rule.writeBigUInt64LE(writing, 0)
    rule.writeInt32LE(parent, 8)
    return (
      calls.call('landlock_add_rule', ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0) === 0 &&
      calls.call('landlock_restrict_self', ruleset, 0) === 0
    )
  } finally {
    closeSync(parent)
    closeSync(ruleset)
  }
}
