/**
 * Descriptors of the files that the crashed program was made of, opened while it still waits: the executable, and for a
 * dynamically linked program its libraries. Kernel dumps hold no file-backed code (coredump_filter 0x33), so without
 * these files a core of another machine's program says little. They are opened through /proc, so a deleted file, or one
 * in a container's own file system, is still reached; nothing is ever opened by a path that the process chose.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
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

const mostLibraries = 256
const mostBytes = 4 * 2 ** 30

export function openMappedFiles(snapshot: Snapshot): MappedFiles {
  const files: MappedFiles = { libraries: [] }
  if (snapshot.directory === undefined) return files
  const { directory, notes } = snapshot
  let self = ''
  try {
    const file = openElf(`${directory}/exe`, snapshot.facts.exe ?? 'exe')
    if (file !== undefined) {
      files.executable = file
      self = identityOf(file.fd)
    }
  } catch (error) {
    notes.push(
      `Could not open /proc/${snapshot.facts.pid}/exe, storing the core without its executable: ${reasonOf(error)}`,
    )
  }
  const seen = new Set([self])
  let failures = 0
  for (const mapping of snapshot.mappings) {
    const key = `${mapping.device} ${mapping.inode}`
    // What is mapped executable is code; data files and fonts are not worth storing.
    if (!mapping.permissions.includes('x') || seen.has(key)) continue
    seen.add(key)
    try {
      if (files.libraries.length >= mostLibraries) {
        notes.push(`More than ${mostLibraries} libraries are mapped, the others are not stored`)
        break
      }
      const file = openElf(`${directory}/map_files/${mapping.range}`, escapeText(mapping.path))
      if (file === undefined) continue
      const identity = identityOf(file.fd)
      if (seen.has(identity)) closeSync(file.fd)
      else {
        seen.add(identity)
        files.libraries.push(file)
      }
    } catch (error) {
      if (failures++ === 0)
        notes.push(
          `Could not open ${escapeText(mapping.path)}, storing the core without that library: ${reasonOf(error)}`,
        )
    }
  }
  if (failures > 1) notes.push(`${failures} libraries could not be opened`)
  return files
}

export function closeMappedFiles(files: MappedFiles): void {
  for (const file of [...(files.executable ? [files.executable] : []), ...files.libraries]) closeSync(file.fd)
}

/** A regular file that begins as ELF does. */
function openElf(path: string, name: string): MappedFile | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  const stat = fstatSync(fd)
  const magic = Buffer.alloc(4)
  if (
    stat.isFile() &&
    stat.size <= mostBytes &&
    readSync(fd, magic, 0, 4, 0) === 4 &&
    magic.readUInt32BE(0) === 0x7f454c46
  )
    return { fd, size: stat.size, path: name }
  closeSync(fd)
  return undefined
}

function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd)
  return `${dev}/${ino}`
}
