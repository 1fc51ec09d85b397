/**
 * A filter of system calls for a process that has opened what it needs: seccomp(2) through `node:ffi` (Node 26), over all
 * its threads at once, V8's among them, for good. What is not refused is allowed. Where it can't be had, the other
 * confinements stand alone.
 */
import { closeSync } from 'node:fs'
import { type CallName, callNumber, forgoPrivileges, openSystemCalls } from './system-calls.ts'

/** A call that fails with EPERM; `unless` its argument of that number is that. */
export type Refusal = CallName | { call: CallName; unless: { argument: number; is: number } }

/** AUDIT_ARCH_* and the number of clone, linux/audit.h. */
const machines: Partial<Record<string, { audit: number; clone: number }>> = {
  x64: { audit: 0xc000_003e, clone: 56 },
  arm64: { audit: 0xc000_00b7, clone: 220 },
}
const clone3 = 435
const CLONE_THREAD = 0x1_0000

/** linux/bpf_common.h, linux/seccomp.h. */
const load = 0x20
const jumpEqual = 0x15
const jumpAtLeast = 0x35
const jumpSet = 0x45
const answer = 0x06
const allow = 0x7fff_0000
const error = (errno: number): number => 0x0005_0000 | errno
const kill = 0x8000_0000
const EPERM = 1
const ENOSYS = 38
/** Calls of the x32 interface, which would get around the numbers above. */
const x32 = 0x4000_0000

/** struct seccomp_data: nr, arch, instruction_pointer, args; of these the low halves, on machines that have them first. */
const at = { number: 0, machine: 4, argument: (index: number): number => 16 + 8 * index } as const

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number]

/** struct sock_filter for each instruction: whatever is not refused is allowed. */
function filterProgram(audit: number, clone: number, refusals: readonly Refusal[]): Buffer {
  const noFork: Instruction[] = [
    // glibc then takes clone, whose flags can be looked at.
    [jumpEqual, 0, 1, clone3],
    [answer, 0, 0, error(ENOSYS)],
    [jumpEqual, 0, 3, clone],
    [load, 0, 0, at.argument(0)],
    [jumpSet, 1, 0, CLONE_THREAD],
    [answer, 0, 0, error(EPERM)],
  ]
  const program: Instruction[] = [
    [load, 0, 0, at.machine],
    [jumpEqual, 1, 0, audit],
    [answer, 0, 0, kill],
    [load, 0, 0, at.number],
    [jumpAtLeast, 0, 1, x32],
    [answer, 0, 0, error(EPERM)],
    ...refusals.flatMap(refuse),
    ...(refusals.includes('fork') ? noFork : []),
    [answer, 0, 0, allow],
  ]
  const bytes = Buffer.alloc(8 * program.length)
  for (const [i, [code, ifTrue, ifFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * i)
    bytes.writeUInt8(ifTrue, 8 * i + 2)
    bytes.writeUInt8(ifFalse, 8 * i + 3)
    bytes.writeUInt32LE(k, 8 * i + 4)
  }
  return bytes
}

function refuse(refusal: Refusal): Instruction[] {
  const { call, unless } = typeof refusal === 'string' ? { call: refusal, unless: undefined } : refusal
  const number = callNumber(call)
  if (number === undefined) return []
  if (unless === undefined)
    return [
      [jumpEqual, 0, 1, number],
      [answer, 0, 0, error(EPERM)],
    ]
  return [
    [jumpEqual, 0, 4, number],
    [load, 0, 0, at.argument(unless.argument)],
    [jumpEqual, 1, 0, unless.is],
    [answer, 0, 0, error(EPERM)],
    [answer, 0, 0, allow],
  ]
}

const SECCOMP_SET_MODE_FILTER = 1
const SECCOMP_FILTER_FLAG_TSYNC = 1

/**
 * Takes these calls and new privileges from this process, with all its threads or with those that the calling one makes,
 * and from its children; with `fork` it has none. False where that can't be had here.
 */
export function refuseCalls(
  refusals: readonly Refusal[],
  whom: 'all threads' | 'this thread' = 'all threads',
): boolean {
  const machine = machines[process.arch]
  const calls = openSystemCalls()
  if (machine === undefined || calls === undefined) return false
  const filter = filterProgram(machine.audit, machine.clone, refusals)
  // struct sock_fprog: the number of instructions, and where they are.
  const program = Buffer.alloc(16)
  program.writeUInt16LE(filter.length / 8, 0)
  program.writeBigUInt64LE(calls.address(filter), 8)
  if (!forgoPrivileges(calls)) return false
  // It also gives the other threads PR_SET_NO_NEW_PRIVS.
  const flags = whom === 'all threads' ? SECCOMP_FILTER_FLAG_TSYNC : 0
  return calls.call('seccomp', SECCOMP_SET_MODE_FILTER, flags, program) === 0
}

/** struct io_uring_params. */
const ringParameters = 120

/** Whether this process could make rings (io_uring), so that libuv has made some. */
export function canMakeRing(): boolean {
  const fd = openSystemCalls()?.call('io_uring_setup', 1, Buffer.alloc(ringParameters)) ?? -1
  if (fd >= 0) closeSync(fd)
  return fd >= 0
}
