/**
 * Descriptors of the files that the crashed program was made of, opened while it still waits: the executable, and for a
 * dynamically linked program its libraries. Kernel dumps hold no file-backed code (coredump_filter 0x33), so without
 * these files a core of another machine's program says little. They are opened through /proc, so a deleted file, or one
 * in a container's own file system, is still reached; nothing is ever opened by a path that the process chose.
 *
 * To open a file on NFS or FUSE is to ask somebody who may not answer. So all but those of this machine's own disks are
 * opened by a thread, which may hang alone. To close one is to ask, too: they stay open until the handler ends.
 */
import { closeSync } from 'node:fs'
import { reasonOf, SystemError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { localDevices } from './mounts.ts'
import { type OpenedElf, openElf } from './open-elf.ts'
import { PlaceChannel, StorageStalled } from './place-channel.ts'
import type { Snapshot } from './process-info.ts'

export interface MappedFile {
  fd: number
  size: number
  /** Escaped, as the process saw it. */
  path: string
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
}

type Opened = { elf: OpenedElf | undefined } | { why: string }

export interface Waiting {
  /** Milliseconds without an answer after which nothing more is waited for. */
  readonly patience: number
  /** Called meanwhile. */
  readonly idle: () => void
  readonly beat: () => void
}

const mostLibraries = 256

export class MappedFileOpener {
  /** A thread of it hangs. */
  hasStalled = false
  readonly #snapshot: Snapshot
  readonly #opened: { wanted: Wanted; result: Opened }[] = []
  readonly #remote: Wanted[] = []
  #channel: PlaceChannel | undefined

  /** Opens what is surely of this machine, and begins to open the rest. `script`: the program to start as a thread. */
  constructor(snapshot: Snapshot, script: string, local = localDevices()) {
    this.#snapshot = snapshot
    for (const { device, ...wanted } of wantedOf(snapshot))
      if (device !== undefined && local.has(device))
        this.#opened.push({ wanted, result: attempt(() => openElf(wanted.at)) })
      else this.#remote.push(wanted)
    if (this.#remote.length === 0) return
    this.#channel = new PlaceChannel(script, new SharedArrayBuffer(8))
    for (const { at } of this.#remote) this.#channel.give({ do: 'openElf', with: [at] })
  }

  /** All that could be opened; of the rest the snapshot has notes. */
  take({ patience, idle, beat }: Waiting): MappedFiles {
    for (const wanted of this.#remote) {
      const result = attempt(() => {
        const answer = this.hasStalled ? undefined : this.#next(patience, idle, beat)
        if (answer === undefined) throw new SystemError('its storage does not answer')
        if ('failure' in answer) throw new Error(answer.failure.message)
        return answer.value as OpenedElf | undefined
      })
      this.#opened.push({ wanted, result })
    }
    this.#channel?.stop()
    return this.#sort()
  }

  #next(...waiting: Parameters<PlaceChannel['next']>): ReturnType<PlaceChannel['next']> | undefined {
    try {
      return this.#channel!.next(...waiting)
    } catch (error) {
      if (!(error instanceof StorageStalled)) throw error
      this.hasStalled = true
      return undefined
    }
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
      if (seen.has(identity)) closeSync(fd)
      else if (wanted.isExecutable) files.executable = { fd, size, path: wanted.path }
      else files.libraries.push({ fd, size, path: wanted.path })
      seen.add(identity)
    }
    for (const { why } of failures.filter(({ isExecutable }) => isExecutable))
      notes.push(`Could not open /proc/${facts.pid}/exe, storing the core without its executable: ${why}`)
    const libraries = failures.filter(({ isExecutable }) => !isExecutable)
    if (libraries[0] !== undefined)
      notes.push(
        `Could not open ${libraries[0].path}, storing the core without that library: ${libraries[0].why}`,
      )
    if (libraries.length > 1) notes.push(`${libraries.length} libraries could not be opened`)
    return files
  }
}

/** The executable, and each other file that is mapped as code, once. `device` as in `maps`, undefined where it isn't known. */
function wantedOf({
  directory,
  facts,
  mappings,
  notes,
}: Snapshot): (Wanted & { device: string | undefined })[] {
  if (directory === undefined) return []
  const path = facts.exe ?? 'exe'
  // What is mapped executable is code; data files and fonts are not worth storing.
  const code = mappings.filter(({ permissions }) => permissions.includes('x'))
  const own = code.find(mapping => escapeText(mapping.path) === path)
  const wanted = [{ at: `${directory}/exe`, path, isExecutable: true, device: own?.device }]
  const keyOf = ({ device, inode }: { device: string; inode: string }): string => `${device} ${inode}`
  const seen = new Set(own === undefined ? [] : [keyOf(own)])
  for (const mapping of code) {
    if (seen.has(keyOf(mapping))) continue
    seen.add(keyOf(mapping))
    if (wanted.length > mostLibraries) {
      notes.push(`More than ${mostLibraries} libraries are mapped, the others are not stored`)
      break
    }
    const at = `${directory}/map_files/${mapping.range}`
    wanted.push({ at, path: escapeText(mapping.path), isExecutable: false, device: mapping.device })
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
