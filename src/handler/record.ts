/** The manifest out of what the handler knows. */
import { hostname, release } from 'node:os'
import { type Manifest, manifestVersion, type StoredBinary, type StoredCore } from '../archive/manifest.ts'
import { escapeBytes, escapeText } from '../base/escape.ts'
import { bootId, machineId } from '../base/host-ids.ts'
import { toolVersion } from '../base/version.ts'
import { type CrashArguments, unlimited } from './argv.ts'
import type { Snapshot } from './process-info.ts'
import { signalName } from './signals.ts'

/**
 * The kernel tells whole seconds, this clock the rest, as long as both speak of the same second; a handler that started
 * later than that knows only the second.
 */
export function crashTime(seconds: number | undefined, now: number): Date {
  if (seconds === undefined) return new Date(now)
  return Math.floor(now / 1000) === seconds ? new Date(now) : new Date(seconds * 1000)
}

export interface Outcome {
  core: StoredCore
  executable?: StoredBinary
  libraries: StoredBinary[]
  heldMs: number
  monotonicNs?: number
}

export function makeManifest(
  id: string,
  time: Date,
  crash: CrashArguments,
  snapshot: Snapshot,
  outcome: Outcome,
): Manifest {
  return {
    schema: 'gocore-manifest',
    version: manifestVersion,
    id,
    tool: { version: toolVersion, node: process.version },
    host: hostFacts(crash),
    time: time.toISOString(),
    process: snapshot.facts,
    signal: { number: crash.signal, name: signalName(crash.signal) },
    rlimit_core:
      crash.rlimit === undefined
        ? 'unknown'
        : crash.rlimit === unlimited
          ? 'unlimited'
          : String(crash.rlimit),
    ...(crash.dumpable === undefined ? {} : { dumpable: crash.dumpable }),
    core: outcome.core,
    ...(outcome.executable === undefined ? {} : { executable: outcome.executable }),
    libraries: outcome.libraries,
    held_ms: Math.round(outcome.heldMs * 10) / 10,
    ...(outcome.monotonicNs === undefined ? {} : { monotonic_ns: outcome.monotonicNs }),
    notes: [...crash.problems, ...snapshot.notes].map(note => escapeText(note)),
  }
}

function hostFacts(crash: CrashArguments): Manifest['host'] {
  const name = escapeText(hostname(), 256)
  const container = crash.hostname === undefined ? undefined : escapeBytes(crash.hostname, 256)
  const optional = {
    boot_id: bootId(),
    machine_id: machineId(),
    kernel: release(),
    // %h is the name that the process itself saw: in a container, the container's.
    container_hostname: container === name ? undefined : container,
  }
  return { name, ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) }
}
