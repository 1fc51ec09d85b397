/**
 * Descriptors of the files that the crashed program was made of, opened while it still waits: the executable, and for a
 * dynamically linked program its libraries. Kernel dumps hold no file-backed code (coredump_filter 0x33), so without
 * these files a core of another machine's program says little. They are opened through /proc, so a deleted file, or one
 * in a container's own file system, is still reached; nothing is ever opened by a path that the process chose.
 *
 * To open a file on NFS or FUSE is to ask somebody who may not answer. So all but those of this machine's own disks are
 * opened by a thread, which may hang alone. To close one is to ask, too: they stay open until the handler ends.
 */
import { reasonOf } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { isOnLocal, type LocalMounts, localMounts } from './mounts.ts'
import { type OpenedElf, openElf } from './open-elf.ts'
import { PlaceChannel } from './place-channel.ts'
import type { Snapshot } from './process-info.ts'

export interface MappedFile {
  fd: number
  size: number
  /** Escaped, as the process saw it. */
  path: string
  /** On this machine's own disks: to read it is to ask nobody. */
  isLocal: boolean
}

export interface MappedFiles {
  executable?: MappedFile
  libraries: MappedFile[]
}

/** What is to be opened. */
interface Wanted {
  /** Below /proc. */
  readonly at: string
  /** Escaped, as the process saw it. */
  readonly path: string
  readonly isExecutable: boolean
  readonly isLocal: boolean
}

type Opened = { elf: OpenedElf | undefined } | { why: string }

export interface Waiting {
  /** Milliseconds without an answer after which nothing more is waited for. */
  readonly patience: number
  /** Called meanwhile. */
  readonly idle?: () => void
  readonly beat: () => void
}

const mostLibraries = 256
/** Times the patience, for a thread that gets no processor. */
const mostPatience = 10

export class MappedFileOpener {
  /** A thread of it hangs. */
  hasStalled = false
  readonly #snapshot: Snapshot
  readonly #opened: { wanted: Wanted; result: Opened }[] = []
  readonly #remote: Wanted[] = []
  #answered = 0
  #channel: PlaceChannel | undefined

  /** Opens what is surely of this machine, and begins to open the rest. `script`: the program to start as a thread. */
  constructor(snapshot: Snapshot, script: string, local = localMounts()) {
    this.#snapshot = snapshot
    for (const wanted of wantedOf(snapshot, local))
      if (wanted.isLocal) this.#opened.push({ wanted, result: attempt(() => openElf(wanted.at)) })
      else this.#remote.push(wanted)
    if (this.#remote.length === 0) return
    this.#channel = new PlaceChannel(script, new SharedArrayBuffer(8))
    for (const { at } of this.#remote) this.#channel.give({ do: 'openElf', with: [at] })
  }

  /** Waits while the process is held. What has not answered by then may still do so before all is taken. */
  wait({ patience, idle, beat }: Waiting): void {
    const latest = performance.now() + mostPatience * patience
    let slice = patience
    while (this.#remote.length > this.#answered) {
      try {
        this.#next(slice, idle, beat)
        slice = patience
      } catch {
        this.hasStalled = performance.now() >= latest || !this.#channel!.isStarved
        // Whatever is wrong with the thread, it costs no more than these files.
        if (this.hasStalled) return
        this.#channel!.renew()
        slice = patience / 10
      }
    }
  }

  /** All that could be opened; of the rest the snapshot has notes. What is late is waited for once more. */
  take(waiting: Waiting): MappedFiles {
    if (this.hasStalled) {
      this.hasStalled = false
      this.#channel!.renew()
      this.wait(waiting)
    }
    for (const wanted of this.#remote.slice(this.#answered))
      this.#opened.push({ wanted, result: { why: late } })
    this.#channel?.stop()
    return this.#sort()
  }

  /** The channel answers in the order of what was asked. */
  #next(...waiting: Parameters<PlaceChannel['next']>): void {
    const answer = this.#channel!.next(...waiting)
    const result: Opened =
      'failure' in answer ? { why: answer.failure.message } : { elf: answer.value as OpenedElf | undefined }
    this.#opened.push({ wanted: this.#remote[this.#answered]!, result })
    this.#answered++
  }

  #sort(): MappedFiles {
    const { facts, notes } = this.#snapshot
    const files: MappedFiles = { libraries: [] }
    const seen = new Set<string>()
    // The executable first: it is mapped, too.
    this.#opened.sort((a, b) => Number(b.wanted.isExecutable) - Number(a.wanted.isExecutable))
    const failures = this.#opened.flatMap(({ wanted, result }) =>
      'why' in result ? [{ ...wanted, ...result }] : [],
    )
    for (const { wanted, result } of this.#opened) {
      if ('why' in result || result.elf === undefined) continue
      const { fd, size, identity } = result.elf
      const file: MappedFile = { fd, size, path: wanted.path, isLocal: wanted.isLocal }
      if (seen.has(identity)) continue
      seen.add(identity)
      if (wanted.isExecutable) files.executable = file
      else files.libraries.push(file)
    }
    for (const { why } of failures.filter(({ isExecutable }) => isExecutable))
      notes.push(withoutExecutable('open', `/proc/${facts.pid}/exe`, why))
    const libraries = failures.filter(({ isExecutable }) => !isExecutable)
    if (libraries[0] !== undefined)
      notes.push(
        `Could not open ${libraries[0].path}, storing the core without that library: ${libraries[0].why}`,
      )
    if (libraries.length > 1) notes.push(`${libraries.length} libraries could not be opened`)
    return files
  }
}

/** Those that surely answer. */
export const localOf = ({ executable, libraries }: MappedFiles): MappedFiles => ({
  ...(executable?.isLocal ? { executable } : {}),
  libraries: libraries.filter(({ isLocal }) => isLocal),
})

/** What is said where the others were left out. */
export function notCopied({ executable, libraries }: MappedFiles): string[] {
  const remote = libraries.filter(({ isLocal }) => !isLocal).length
  return [
    ...(executable === undefined || executable.isLocal
      ? []
      : [withoutExecutable('copy', executable.path, late)]),
    ...(remote === 0
      ? []
      : [`Could not copy ${remote} of its libraries, storing the core without them: ${late}`]),
  ]
}

const late = 'its storage does not answer'

const withoutExecutable = (verb: string, path: string, why: string): string =>
  `Could not ${verb} ${path}, storing the core without its executable: ${why}`

/** The executable, and each other file that is mapped as code, once. */
function wantedOf({ directory, facts, mappings, notes }: Snapshot, local: LocalMounts): Wanted[] {
  if (directory === undefined) return []
  const path = facts.exe ?? 'exe'
  // What is mapped executable is code; data files and fonts are not worth storing.
  const code = mappings.filter(({ permissions }) => permissions.includes('x'))
  const at = `${directory}/exe`
  const wanted: Wanted[] = [{ at, path, isExecutable: true, isLocal: isOnLocal(at, local) }]
  const keyOf = ({ device, inode }: { device: string; inode: string }): string => `${device} ${inode}`
  // Most likely the executable. In another namespace the same path may be another file, which is left out then.
  const own = code.find(mapping => escapeText(mapping.path) === path)
  const seen = new Set(own === undefined ? [] : [keyOf(own)])
  for (const mapping of code) {
    if (seen.has(keyOf(mapping))) continue
    seen.add(keyOf(mapping))
    if (wanted.length > mostLibraries) {
      notes.push(`More than ${mostLibraries} libraries are mapped, the others are not stored`)
      break
    }
    const at = `${directory}/map_files/${mapping.range}`
    const isLocal = local.devices.has(mapping.device)
    wanted.push({ at, path: escapeText(mapping.path), isExecutable: false, isLocal })
  }
  return wanted
}

function attempt(open: () => OpenedElf | undefined): Opened {
  try {
    return { elf: open() }
  } catch (error) {
    return { why: reasonOf(error) }
  }
}
