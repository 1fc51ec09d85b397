/** One crash from the kernel's arguments to the manifest, in the order that design and `gocore-sink-handler(8)` give. */
import { readFileSync } from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'
import type { DumpWriter } from '../archive/dump-writer.ts'
import type { Manifest, StoredCore } from '../archive/manifest.ts'
import { reasonOf } from '../base/errors.ts'
import { escapeBytes } from '../base/escape.ts'
import { type Config, loadConfigOrDefaults } from '../config/index.ts'
import { type CrashArguments, parseArguments, rawArguments } from './argv.ts'
import { type Captured, captureCore, describeCore, storageFailure } from './capture.ts'
import { CoreInput, type OpenMemory } from './core-input.ts'
import { takeInHand } from './last-words.ts'
import { KernelLog } from './log.ts'
import { closeMappedFiles, openMappedFiles } from './mapped-files.ts'
import { openMemoryStream } from './memory-stream.ts'
import { nudgeDaemon } from './nudge.ts'
import { PipeReader } from './pipe.ts'
import { type Snapshot, takeSnapshot } from './process-info.ts'
import { ProcessMemory } from './process-memory.ts'
import { crashTime, makeManifest, type Outcome } from './record.ts'
import { shieldSelf } from './self.ts'
import { signalName } from './signals.ts'
import { takeStandardInput } from './standard-input.ts'
import { findPlace, recordInSpool } from './storage.ts'
import { storeMappedFiles } from './store-files.ts'

/** Answers the exit code: 0 where the crash is on record, 1 where only the kernel log knows of it. */
export async function handleCrash(args: readonly string[], script: string): Promise<number> {
  const now = Date.now()
  const monotonicNs = Number(process.hrtime.bigint())
  const log = new KernelLog()
  const separator = args.indexOf('--')
  const positional = args.slice(separator + 1)
  const crash = parseArguments(rawArguments(readFileSync('/proc/self/cmdline'), positional))
  const fact = describe(crash)
  takeInHand(fact)
  log.write('notice', fact)
  shieldSelf()

  const configPath = separator > 0 && args[0] === '--config' ? args[1] : undefined
  const { config, warnings } = loadConfigOrDefaults(configPath)
  for (const warning of warnings) log.write('warning', warning)

  const snapshot = takeSnapshot(crash, config.environ, config.redact)
  const files = openMappedFiles(snapshot)
  const time = crashTime(crash.time, now)
  const dumpable = crash.dumpable ?? impliedDumpable()
  const { place, failures } = findPlace(config, time, {
    process: snapshot.facts,
    ...(dumpable === undefined ? {} : { dumpable }),
  })
  const dump = place?.dump
  if (place?.fallback !== undefined) snapshot.notes.push(`${place.fallback}; stored on this machine instead`)

  const held: Outcome = { core: unfinished, libraries: [], heldMs: 0, monotonicNs }
  const manifest = () => makeManifest(dump?.ref.id ?? '', time, crash, snapshot, held)
  if (dump !== undefined)
    attempt(snapshot, 'write what is known beforehand', () => dump.writePending(manifest()))

  const pipe = new PipeReader(takeStandardInput(), () => {
    held.heldMs = performance.now()
    // From here on nobody waits.
    setPriority(0, 10)
  })
  const captured =
    dump === undefined || isRefused(crash, config)
      ? undefined
      : captureCore(new CoreInput(pipe, memoryOf(snapshot)), dump, {
          most: config.coreMax,
          threads: threads(),
          script,
        })
  pipe.close()

  if (dump === undefined) {
    log.write('error', `LOST the core of ${fact}: ${failures.join('; ')}`)
    return 1
  }
  held.core = captured === undefined ? refusedCore(crash, dump) : storeCore(dump, captured)
  Object.assign(held, storeMappedFiles(files, dump, snapshot.notes))
  closeMappedFiles(files)
  snapshot.close()
  return await finish(dump, manifest, config, log, fact)
}

const unfinished: StoredCore = {
  state: 'truncated',
  reason: 'handler-error',
  detail: 'The handler was ended before it had the whole core',
  raw_size: 0,
  stored_size: 0,
}

/** One for each processor that is left when the kernel writes and this thread reads, but never none. */
const threads = (): number => Math.min(4, Math.max(2, availableParallelism() - 1))

/** The way to the process's memory, where it is surely that process. */
function memoryOf({ directory, anonymous }: Snapshot): OpenMemory | undefined {
  if (directory === undefined) return undefined
  return ({ segments }, position) =>
    openMemoryStream(() => new ProcessMemory(directory), segments, anonymous, position)
}

function storeCore(dump: DumpWriter, captured: Captured): StoredCore {
  try {
    const size = dump.finishCore()
    return describeCore(captured, size, 'core.lz4')
  } catch (error) {
    // Only fsync tells the truth on NFS: the file may be short, or gone.
    const { reason, detail } = storageFailure(error)
    dump.dropCore()
    return {
      state: 'none',
      reason,
      detail,
      raw_size: 0,
      stored_size: 0,
      ...(captured.expected === undefined ? {} : { expected_size: captured.expected }),
    }
  }
}

async function finish(
  dump: DumpWriter,
  manifest: () => ReturnType<typeof makeManifest>,
  config: Config,
  log: KernelLog,
  fact: string,
): Promise<number> {
  const record = manifest()
  try {
    dump.finish(record)
  } catch (error) {
    const why = `could not write the manifest in ${dump.directory}: ${reasonOf(error)}`
    return finishInSpool(record, why, config, log, fact)
  }
  const { state, reason, detail } = record.core
  if (state !== 'complete')
    log.write(
      'warning',
      `the core of ${fact} is ${state === 'none' ? 'not stored' : 'cut'} (${reason}): ${detail}`,
    )
  await nudgeDaemon(config.run, dump.ref.id)
  return 0
}

/** The core is lost with the archive; that there was a crash need not be. */
function finishInSpool(record: Manifest, why: string, config: Config, log: KernelLog, fact: string): number {
  const core: StoredCore = {
    state: 'none',
    reason: 'storage-error',
    detail: `Lost: ${why}`,
    raw_size: 0,
    stored_size: 0,
  }
  try {
    recordInSpool(config, new Date(record.time), { ...record, core })
    log.write('error', `LOST the core of ${fact}, its record is in the spool: ${why}`)
    return 0
  } catch (error) {
    log.write('error', `LOST the record of ${fact}: ${why}; and the spool: ${reasonOf(error)}`)
    return 1
  }
}

/** The policy for processes that asked for no core: the kernel pipes regardless of RLIMIT_CORE. */
const isRefused = (crash: CrashArguments, config: Config): boolean =>
  crash.rlimit === 0n && config.rlimitZero === 'record'

function refusedCore(crash: CrashArguments, dump: DumpWriter): StoredCore {
  dump.dropCore()
  return {
    state: 'none',
    reason: 'rlimit',
    detail: `RLIMIT_CORE of the process is ${crash.rlimit}, and RlimitZero=record keeps such crashes without their cores`,
    raw_size: 0,
    stored_size: 0,
  }
}

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

/** Does what the dump can do without; a failure becomes a note. */
function attempt(snapshot: Snapshot, what: string, action: () => void): void {
  try {
    action()
  } catch (error) {
    snapshot.notes.push(`Could not ${what}: ${reasonOf(error)}`)
  }
}
