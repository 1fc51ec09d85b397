/**
 * `manifest.json`: the facts of one crash, written last and by rename, so that it exists exactly when the dump is
 * whole or honestly marked. `gocore-archive(5)` documents it. Within a version, fields are only added.
 */
import { FormatError } from '../base/errors.ts'
import { type Check, fields, integer, listOf, mapOf, number, oneOf, optional, text } from '../base/shape.ts'

export const manifestVersion = 1
/** Bytes: a text of more is none of ours. */
export const mostManifest = 64 << 20

export interface Manifest {
  schema: 'gocore-manifest'
  version: typeof manifestVersion
  /** Twelve characters of lower-case base32. */
  id: string
  tool: { version: string; node: string }
  /** Where it happened. `name` is the node's own, not the crashed container's. */
  host: { name: string; boot_id?: string; machine_id?: string; kernel?: string; container_hostname?: string }
  /** ISO 8601 UTC with milliseconds, of the handler's clock where it agrees with the kernel's seconds. */
  time: string
  /** ISO 8601 UTC: when it came into this archive, by the storage's clock. */
  stored?: string
  process: ProcessFacts
  signal: { number: number; name: string }
  /** `%c`, decimal text; `unlimited` for RLIM_INFINITY. */
  rlimit_core: string
  /** `%d`: 0, 1 or 2. */
  dumpable?: number
  core: StoredCore
  /** The crashed executable in `binaries/`, and what else was mapped from files. */
  executable?: StoredBinary
  libraries: StoredBinary[]
  /** How long the crashed process was held: exec of the handler to the close of its standard input, milliseconds. */
  held_ms: number
  /**
   * CLOCK_MONOTONIC when the handler began, nanoseconds: the clock by which the Go runtime counts how long goroutines
   * wait. Not of a process in a time namespace of its own.
   */
  monotonic_ns?: number
  go_version?: string
  /** Where an imported dump came from. */
  imported_from?: string
  /** What could not be had, one sentence each. */
  notes: string[]
  /** Until it is lifted nobody deletes this dump or leaves anything of it out, whatever they were told. */
  hold?: Hold
}

/** A legal hold: by whom, since when (ISO 8601 UTC), and why. */
export interface Hold {
  readonly by: string
  readonly time: string
  readonly reason?: string
}

export interface ProcessFacts {
  /** In the initial PID namespace. */
  pid: number
  tid?: number
  uid: number
  gid: number
  /** `%e`: the crashing thread's name; bytes that are not printable are escaped as `\xNN`. */
  comm: string
  exe?: string
  cmdline?: string[]
  cwd?: string
  root?: string
  cgroup?: string
  container?: { id?: string; pod_uid?: string; runtime?: string }
  /** The kernel's pidfd confirmed that these facts of /proc are the crashed process's. */
  pidfd?: true
  /**
   * Who made the user namespace that it ran in, by the machine's own numbers, 4294967295 where that is not known; absent
   * in the machine's own.
   */
  user_namespace_owner?: number
  /** Process start, clock ticks since boot, from /proc/PID/stat. */
  start_ticks?: number
  environ?: Record<string, string>
  limits?: string
  status?: string
  /** Lines of /proc/PID/maps that name files. */
  mappings?: string
  open_files?: string[]
  auxv?: string
  ppid?: number
  threads?: number
}

export type TruncationReason =
  /** The kernel stopped writing before the promised end: the dumping process was killed, or the system ran out of memory. */
  | 'killed'
  | 'cap'
  | 'no-space'
  | 'storage-error'
  | 'storage-stalled'
  | 'rlimit'
  | 'policy'
  | 'handler-error'
  /** The kernel dumped no core; its log told so. */
  | 'refused'
  | 'imported'

export interface StoredCore {
  state: 'complete' | 'truncated' | 'none'
  reason?: TruncationReason
  /** A sentence with what failed, for `truncated` and `none`. */
  detail?: string
  /** `core.lz4`; absent for `none`. */
  file?: string
  /** Bytes of content in the file: what `lz4 -d` gives. */
  raw_size: number
  /** Bytes of the file. */
  stored_size: number
  /** Bytes within `raw_size` that storage did not keep: blocks whose checksums are wrong. */
  lost_size?: number
  /** To whom `core.lz4.age` is encrypted, with the SHA-256 of the file. */
  encrypted?: { to: readonly string[]; sha256: string; time: string }
  /** The core as it came, where the file is a mini-core made of it: most of the memory is no more. */
  shrunk?: Shrunk
  /** Why it can't be made a mini-core, by this version of the program. */
  unshrinkable?: Unshrinkable
  /** Bytes that the program headers promise; absent where they did not arrive. */
  expected_size?: number
  /** Only in a spool: the beginning of the core's file lies elsewhere, and the daemon joins both. */
  continues?: Continuation
}

/** What a mini-core was made of: sizes as in StoredCore, when (ISO 8601 UTC), why, by which version of the program. */
export interface Shrunk {
  readonly raw_size: number
  readonly stored_size: number
  readonly expected_size?: number
  readonly time: string
  readonly reason: string
  readonly tool: string
}

/** A failure that says nothing of the core, or of this machine's limits alone, has an end (ISO 8601 UTC). */
export interface Unshrinkable {
  readonly reason: string
  readonly tool: string
  readonly time: string
  readonly until?: string
}

/**
 * A core that began in an archive which then stalled or failed, and went on in the spool. The spool's dump has the same
 * id and day, and its `core.lz4` (`core.lz4.part` while it is written) holds what follows the first `at` bytes; those lie
 * in `archive`, as `core.lz4.part` of a dump without a manifest. Offsets in the index, `raw_size` and `stored_size` count
 * from the beginning of the whole. `pending.json` of the spool says the same, before the first byte goes there.
 */
export interface Continuation {
  /** Root of the archive in which the dump began. */
  archive: string
  /** Bytes of the file that the archive has acknowledged: whole blocks, or 0 where it has none that count. */
  at: number
}

export interface StoredBinary {
  /** Key in `binaries/`; absent where the file could not be stored. */
  key?: string
  /** As the process saw it. */
  path: string
  /** GNU build id, hex. */
  build_id?: string
  size?: number
  /** The process's user could not have read the file. */
  unreadable?: true
}

/** `on hold by ada since 2026-11-24 (case 7); gocore-sink unhold lifts it`. */
export const formatHold = ({ by, time, reason }: Hold): string =>
  `on hold by ${by} since ${time.slice(0, 10)}${reason === undefined ? '' : ` (${reason})`}; gocore-sink unhold lifts it`

/** `it took longer than AnalysisTimeout=5min; tried again from 2026-12-01 on`. */
export const formatUnshrinkable = ({ reason, until }: Unshrinkable): string =>
  until === undefined ? reason : `${reason}; tried again from ${until.slice(0, 10)} on`

const binary = fields({ key: optional(text), path: text, build_id: optional(text), size: optional(integer) })

const shape = fields({
  id: text,
  time: text,
  stored: optional(text),
  tool: fields({ version: text, node: text }),
  host: fields({
    ...{ name: text, boot_id: optional(text), machine_id: optional(text), kernel: optional(text) },
    container_hostname: optional(text),
  }),
  process: fields({
    ...{ pid: integer, tid: optional(integer), uid: integer, gid: integer, comm: text, exe: optional(text) },
    ...{ cmdline: optional(listOf(text)), cwd: optional(text), root: optional(text), cgroup: optional(text) },
    container: optional(fields({ id: optional(text), pod_uid: optional(text), runtime: optional(text) })),
    ...{ start_ticks: optional(number), environ: optional(mapOf(text)), limits: optional(text) },
    ...{ status: optional(text), mappings: optional(text), open_files: optional(listOf(text)) },
    ...{ auxv: optional(text), ppid: optional(integer), threads: optional(integer) },
  }),
  signal: fields({ number: integer, name: text }),
  rlimit_core: text,
  dumpable: optional(number),
  core: fields({
    ...{ state: oneOf('complete', 'truncated', 'none'), reason: optional(text), detail: optional(text) },
    ...{ file: optional(text), raw_size: integer, stored_size: integer, lost_size: optional(integer) },
    expected_size: optional(integer),
    encrypted: optional(fields({ to: listOf(text), sha256: text, time: text })),
    shrunk: optional(
      fields({
        ...{ raw_size: integer, stored_size: integer, expected_size: optional(integer) },
        ...{ time: text, reason: text, tool: text },
      }),
    ),
    unshrinkable: optional(fields({ reason: text, tool: text, time: text, until: optional(text) })),
    continues: optional(fields({ archive: text, at: number })),
  }),
  executable: optional(binary),
  libraries: listOf(binary),
  ...{ held_ms: number, monotonic_ns: optional(number), go_version: optional(text) },
  ...{ imported_from: optional(text), notes: listOf(text) },
} satisfies Partial<Record<keyof Manifest, Check>>)

/** Checks the shape that readers rely on; unknown fields pass. Throws FormatError. */
export function parseManifest(text: string, file: string): Manifest {
  const fail = (problem: string): never => {
    throw new FormatError({ file, section: 'manifest', offset: 0 }, problem)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return fail(`not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null) return fail('not an object')
  const m = value as Partial<Manifest>
  if (m.schema !== 'gocore-manifest')
    return fail(`schema is ${JSON.stringify(m.schema)}, not "gocore-manifest"`)
  if (m.version !== manifestVersion)
    return fail(`version ${String(m.version)} is not one that this program reads`)
  const problem = shape(m, '')
  if (problem !== undefined) return fail(problem)
  if (!/^[a-z2-7]{12}$/.test(m.id!)) return fail('id is not twelve characters of base32')
  if (Number.isNaN(Date.parse(m.time!))) return fail('time is not a date')
  // A hold that can't be understood is one all the same.
  if (m.hold !== undefined) m.hold = asHold(m.hold)
  return m as Manifest
}

function asHold(value: unknown): Hold {
  const { by, time, reason } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Hold>
  return {
    by: typeof by === 'string' ? by : 'someone unknown',
    time: typeof time === 'string' ? time : new Date(0).toISOString(),
    ...(typeof reason === 'string' ? { reason } : {}),
  }
}

/** What the program was made of: the executable, where it is known, and the libraries. */
export const binariesOf = ({ executable, libraries }: Manifest): readonly StoredBinary[] =>
  executable === undefined ? libraries : [executable, ...libraries]

/** The keys of those that were stored. */
export const binaryKeysOf = (manifest: Manifest): string[] =>
  binariesOf(manifest).flatMap(({ key }) => key ?? [])
