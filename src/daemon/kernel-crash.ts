/**
 * Lines of the kernel log that speak of a crash of which there may be nothing else. Those of the kernel's own
 * (fs/coredump.c, include/linux/coredump.h), in the words of Linux 5 and 6:
 *
 *     coredump: 4121(api): over core_pipe_limit, skipping core dump       Pid 4121(api) over core_pipe_limit
 *     coredump: 4121(api): |/usr/local/bin/gocore-sink pipe failed        Core dump to |/usr/… pipe failed
 *     coredump: 4121(api): RLIMIT_CORE is set to 1, aborting core         Process 4121(api) has RLIMIT_CORE set to 1
 *     coredump: 4121(api): Coredump socket connection /run/gocore-sink.sock failed -111     (Linux 6.16 and later)
 *     coredump: 4121(api): Coredump socket /run/gocore-sink.sock receive queue full
 *
 * and those of the handler (`src/handler/`): the fact with which it begins, and what it could not store; or of the gate
 * before it (`src/install/gate.ts`) and the door of the socket (`src/receiver/door.ts`), where a crash has waited too long. The number of the process is that of its own PID
 * namespace in the kernel's lines, and the machine's in ours.
 */
import type { TruncationReason } from '../archive/manifest.ts'

export type KernelCrash = {
  /** Absent in the old line of a handler that could not be started. */
  readonly pid?: number
  readonly comm?: string
  readonly uid?: number
  readonly signal?: { number: number; name: string }
} /**
 * `waits`: for so many seconds at most it stands in line before a handler begins. `isAgain`: another line had told of it, which may
 * be lost.
 */ & (
  | { readonly kind: 'begun'; readonly waits?: number; readonly isAgain?: true }
  /** `detail` is a sentence. */
  | { readonly kind: 'lost'; readonly reason: TruncationReason; readonly detail: string }
)

export function parseKernelLine(text: string, isKernels: boolean): KernelCrash | undefined {
  return isKernels ? parseKernels(text) : parseHandlers(text)
}

const process = String.raw`(?:coredump: |Pid |Process )(\d{1,10})\((.{0,80}?)\):?`

const refusals: readonly (readonly [RegExp, TruncationReason, string])[] = [
  [
    new RegExp(`^${process} over core_pipe_limit`),
    'refused',
    'The kernel started no handler: more processes dumped core at the same time than kernel.core_pipe_limit allows',
  ],
  [
    new RegExp(`^${process} RLIMIT_CORE is set to 1|^${process} has RLIMIT_CORE set to 1`),
    'refused',
    'The kernel dumped no core: RLIMIT_CORE is 1, which marks crash handlers and their children',
  ],
  [
    new RegExp(String.raw`^${process} \|.* pipe failed`),
    'refused',
    'The kernel could not start the handler that kernel.core_pattern names',
  ],
  [
    new RegExp(String.raw`^${process} Coredump socket connection .* failed -?\d+`),
    'refused',
    'Nobody listened at the socket that kernel.core_pattern names',
  ],
  [
    new RegExp(`^${process} Coredump socket .* receive queue full`),
    'refused',
    'More crashes waited at the socket that kernel.core_pattern names than its queue holds',
  ],
]

function parseKernels(text: string): KernelCrash | undefined {
  for (const [pattern, reason, detail] of refusals) {
    const match = pattern.exec(text)
    if (match === null) continue
    const [pid, comm] = match.slice(1).filter(group => group !== undefined)
    return { kind: 'lost', reason, detail, pid: Number(pid), comm: comm! }
  }
  const suppressed = /^(?:\w*coredump\w*|do_core_dump): (\d{1,9}) callbacks suppressed$/.exec(text)
  if (suppressed !== null) {
    const detail = `The kernel refused to dump up to ${suppressed[1]} more processes and left out the lines about them`
    return { kind: 'lost', reason: 'refused', detail }
  }
  if (/^Core dump to \|.* pipe failed$/.test(text)) return { kind: 'lost', ...pipeFailed }
  return undefined
}

const pipeFailed = { reason: refusals[2]![1], detail: refusals[2]![2] }

/** The name may hold what it likes, so the last match counts: what follows it is ours. */
const fact =
  /crash of process (\d{1,10}) \((.{0,300})\) of user (\d{1,10}), (SIG[A-Z0-9+-]{1,16}|signal \d{1,3})/

function parseHandlers(text: string): KernelCrash | undefined {
  const ours = /^gocore-sink: (.*)/s.exec(text)?.[1]
  if (ours === undefined) return undefined
  const match = fact.exec(ours)
  if (match === null) return undefined
  const crash = {
    pid: Number(match[1]),
    comm: match[2]!,
    uid: Number(match[3]),
    signal: { number: 0, name: match[4]! },
  }
  const before = ours.slice(0, match.index)
  const after = ours.slice(match.index + match[0].length)
  if (before === '') {
    if (after.startsWith(', told of again')) return { kind: 'begun', ...crash, isAgain: true }
    const waits = /^, waits in line for at most (\d{1,6}) s/.exec(after)?.[1]
    return { kind: 'begun', ...crash, ...(waits === undefined ? {} : { waits: Number(waits) }) }
  }
  // That record is the record.
  if (after.startsWith(', its record is in the spool')) return { kind: 'begun', ...crash }
  const why = after.replace(/^[^:]*: /, '').slice(0, 700)
  if (before === 'LOST the core of ' || before === 'LOST the record of ')
    return { kind: 'lost', reason: 'storage-error', detail: `Nothing could be stored: ${why}`, ...crash }
  if (before === 'REFUSED the core of ')
    return { kind: 'lost', reason: 'refused', detail: `No handler was started: ${why}`, ...crash }
  if (before === 'failed while it recorded ')
    return { kind: 'lost', reason: 'handler-error', detail: `The handler failed: ${why}`, ...crash }
  return undefined
}
