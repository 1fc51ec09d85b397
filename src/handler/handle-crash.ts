/** One crash from the kernel's arguments to the manifest, in the order that design and `gocore-sink-handler(8)` give. */
import { readFileSync } from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'
import type { Continuation, Manifest, StoredCore } from '../archive/manifest.ts'
import type { DumpRef } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import { escapeBytes } from '../base/escape.ts'
import { loadConfigOrDefaults } from '../config/index.ts'
import { type Admission, admit, withoutCore } from './admission.ts'
import { type CrashArguments, parseArguments } from './argv.ts'
import { type Captured, captureCore, describeCore, storageFailure, type Truncation } from './capture.ts'
import { CoreInput } from './core-input.ts'
import { takeInHand } from './last-words.ts'
import { KernelLog } from './log.ts'
import { MappedFileOpener } from './mapped-files.ts'
import { memoryOf } from './memory-source.ts'
import { nudgeDaemon } from './nudge.ts'
import type { HandlerOptions } from './options.ts'
import { PipeReader } from './pipe.ts'
import { takeSnapshot } from './process-info.ts'
import { crashTime, makeManifest, type Outcome } from './record.ts'
import { refusalByLimit } from './refusal.ts'
import { keepCapabilities } from './rights.ts'
import { shieldSelf } from './self.ts'
import { signalName } from './signals.ts'
import { DumpStorage, NoStorage } from './storage.ts'
import { Ticket } from './ticket.ts'

/** What a crash comes with. */
export interface HandlerCall extends Omit<HandlerOptions, 'fields'> {
  /** The kernel's, as it wrote them. */
  readonly fields: readonly Buffer[]
  /** Gives the descriptor that the core comes by. */
  readonly input: () => number
  /** What has been taken of it already. */
  readonly head?: Buffer
  /** performance.now() when it came. */
  readonly began: number
  /** Where it was decided before the core came. */
  readonly admission?: Admission
  /** What is on record instead of a core that was not to come. */
  readonly refusal?: StoredCore | undefined
}

/**
 * Answers the exit code: 0 where the crash is on record, 1 where only the kernel log knows of it. `script` is the program to
 * start as a thread.
 */
export async function handleCrash(call: HandlerCall, script: string): Promise<number> {
  const now = Date.now()
  const monotonicNs = Number(process.hrtime.bigint())
  const log = new KernelLog()
  const { waited } = call
  using ticket = new Ticket(call.ticket)
  const crash = parseArguments(call.fields)
  const fact = describe(crash)
  takeInHand(fact)
  if (!call.told) log.write('notice', fact)
  shieldSelf(waited > 0)

  const { config, warnings } = loadConfigOrDefaults(call.config)
  for (const warning of warnings) log.write('warning', warning)

  const snapshot = takeSnapshot(crash, config.environ, config.redact)
  const opener = new MappedFileOpener(snapshot, script)
  const { uid, signal } = crash
  const refusal = call.refusal ?? refusalByLimit(crash.rlimit, config)
  const ask = (): Admission => admit(config, { uid, exe: snapshot.facts.exe ?? '', signal, waited })
  using admission = call.admission ?? (refusal === undefined ? ask() : withoutCore)
  if (admission.note !== undefined) snapshot.notes.push(admission.note)
  const time = crashTime(crash.time, now)
  const dumpable = crash.dumpable ?? impliedDumpable()
  const held: Outcome = { core: unfinished, libraries: [], heldMs: waited, monotonicNs }
  const manifest = ({ id }: DumpRef, continues: Continuation | undefined): Manifest =>
    withContinuation(makeManifest(id, time, crash, snapshot, held), continues)
  const beat = (): void => ticket.beat()
  const onRelease = (): void => {
    held.heldMs = waited + performance.now() - call.began
    // From here on nobody waits.
    setPriority(0, 10)
    keepCapabilities('released')
  }
  const { others } = admission
  const pipe = new PipeReader(call.input(), onRelease, beat)
  pipe.shareWith(others)
  if (refusal === undefined) pipe.begin(call.head)
  const room = (wanted: number): number => storage.room(wanted * (1 + others)) / (1 + others)
  const memory = memoryOf(snapshot, config.coreMax, { room }, admission.refused)
  const storage = new DumpStorage({
    config,
    time,
    crash: { process: snapshot.facts, ...(dumpable === undefined ? {} : { dumpable }) },
    script,
    pending: manifest,
    idle: () => pipe.pump(),
    beat,
  })
  const record = (): Manifest => manifest(storage.ref, storage.continues)
  try {
    const patience = config.storageDeadline * 1000
    opener.wait({ patience, idle: () => pipe.pump(), beat })
    if (refusal !== undefined) held.core = refusal
    else {
      const { refused } = admission
      const options = { most: config.coreMax, refused, threads: threads(), script }
      const input = new CoreInput(pipe, memory, () => keepCapabilities('held'))
      const captured = captureCore(input, storage, options)
      if (input.unread > 0)
        snapshot.notes.push(
          `Could not read ${input.unread} pages of memory that were in use: they are zeros in the core`,
        )
      held.core = storeCore(storage, captured)
    }
    pipe.close()
    storage.release()
    if (held.core.state === 'none') storage.dropCore()
    const files = opener.take({ patience: patience * lateFiles, beat })
    const { notes, ...stored } = storage.storeFiles(files, admission.isQuota && admission.refused)
    Object.assign(held, stored)
    snapshot.notes.push(...notes)
    storage.finish(() => {
      const whole = record()
      const went = storage.failures.map(({ root, what }) =>
        storage.isInSpool && root === config.archive ? `${what}; stored on this machine instead` : what,
      )
      return { ...whole, notes: [...whole.notes, ...went] }
    })
  } catch (error) {
    pipe.close()
    const why = storage.failures.map(({ what }) => what).join('; ') || reasonOf(error)
    log.write('error', `LOST the core of ${fact}: ${why}`)
    return leave([storage, opener], [admission, ticket], 1)
  }
  snapshot.close()
  // A crash that was decided on before came by no gate.
  if (call.admission === undefined) ticket.tellLimits(config)
  const { state, reason, detail } = held.core
  if (state !== 'complete')
    log.write(
      'warning',
      `the core of ${fact} is ${state === 'none' ? 'not stored' : 'cut'} (${reason}): ${detail}`,
    )
  await nudgeDaemon(config.run, storage.ref.id)
  return leave([storage, opener], [admission, ticket], 0)
}

/**
 * Ends this process even where a thread of it hangs in the kernel, for which an ordinary end would wait. Others do not wait
 * for that thread: what stands for this crash is given back first.
 */
function leave(
  [storage, opener]: readonly [DumpStorage, MappedFileOpener],
  held: readonly Disposable[],
  code: number,
): number {
  storage.close()
  if (!storage.hasStalled && !opener.hasStalled) return code
  try {
    for (const one of held) one[Symbol.dispose]()
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
  return code
}

const withContinuation = (manifest: Manifest, continues: Continuation | undefined): Manifest =>
  continues === undefined ? manifest : { ...manifest, core: { ...manifest.core, continues } }

/** Once nobody waits any more, files that have not answered are waited for so many times as long. */
const lateFiles = 5

const unfinished: StoredCore = {
  state: 'truncated',
  reason: 'handler-error',
  detail: 'The handler was ended before it had the whole core',
  raw_size: 0,
  stored_size: 0,
}

/** One for each processor that is left when the kernel writes and this thread reads, but never none. */
const threads = (): number => Math.min(4, Math.max(2, availableParallelism() - 1))

function storeCore(storage: DumpStorage, captured: Captured): StoredCore {
  const { stored, truncated } = captured
  if (stored === 0 && (truncated?.reason === 'no-space' || truncated?.reason === 'storage-error'))
    return noCore(captured, truncated)
  try {
    const size = storage.finishCore()
    return describeCore(captured, size, 'core.lz4')
  } catch (error) {
    if (error instanceof NoStorage) throw error
    const why = storageFailure(error)
    // Of a core in two pieces the daemon checks each block as it joins them.
    if (storage.continues !== undefined)
      return describeCore({ ...captured, truncated: truncated ?? why }, storage.keepCore(), 'core.lz4')
    // Only fsync tells the truth on NFS: the file may be short, or gone.
    return noCore(captured, why)
  }
}

const noCore = ({ expected }: Captured, { reason, detail }: Truncation): StoredCore => ({
  ...{ state: 'none', reason, detail, raw_size: 0, stored_size: 0 },
  ...(expected === undefined ? {} : { expected_size: expected }),
})

/**
 * Without %d in the pattern: while fs.suid_dumpable is 0, the kernel dumps no process but those of mode 1.
 */
function impliedDumpable(): number | undefined {
  try {
    return readFileSync('/proc/sys/fs/suid_dumpable', 'latin1').trim() === '0' ? 1 : undefined
  } catch {
    return undefined
  }
}

function describe(crash: CrashArguments): string {
  const comm = escapeBytes(crash.comm, 64)
  return `crash of process ${crash.pid} (${comm}) of user ${crash.uid}, ${signalName(crash.signal)}${crash.problems.length > 0 ? `; ${crash.problems.join('; ')}` : ''}`
}
