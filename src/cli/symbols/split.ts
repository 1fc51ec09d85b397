/**
 * Files that a compiler split debug information into: packages (`.dwp`) and single units (`.dwo`), where users say that
 * they are, and where the program says. What a program says is anyone's word: from there only regular files are opened,
 * and no links; the engine takes them by the number of their units alone.
 */
import { closeSync, lstatSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import { type ElfFile, type LoadedFile, openElf, type SplitFiles } from '../../engine/index.ts'
import { FileSource, type OpenSource, openFile, openRegular } from '../../source/index.ts'
import { filesBelow, isFile } from './local.ts'

export interface SplitPlaces {
  /** Directories that the user named. */
  readonly dirs: readonly string[]
  /** Split files that the user named, open. */
  readonly files: readonly ElfFile[]
  /** Where the file itself, or its separate debug information, lies on this machine. */
  readonly paths: readonly string[]
  /** Keeps a file open until the session is closed. */
  keep(resource: Disposable): void
  warn(sentence: string): void
}

/** Bytes of an ELF header; files of the kernel's own making say that they are empty. */
const least = 64
const kernels = /^\/(?:proc|sys|dev)(?:\/|$)/

export function splitFiles({ path }: LoadedFile, places: SplitPlaces): SplitFiles {
  const { dirs, files, paths, keep, warn } = places
  const opened = new Map<string, ElfFile | undefined>()
  const open = (at: string, trusted: boolean): ElfFile | undefined => {
    if (!opened.has(at)) opened.set(at, trusted ? openTrusted(at, keep) : openUntrusted(at, keep))
    return opened.get(at)
  }
  function* tried(trusted: Iterable<string>, untrusted: Iterable<string>): Generator<ElfFile> {
    for (const at of trusted) {
      const elf = open(at, true)
      if (elf) yield elf
    }
    for (const at of untrusted) {
      const elf = open(at, false)
      if (elf) yield elf
    }
  }
  const all = [...new Set([...paths, path])]
  const names = [...new Set(all.map(at => `${basename(at)}.dwp`))]
  return {
    *packages() {
      yield* files
      const named = dirs.flatMap(dir => [
        ...names.map(name => join(dir, name)),
        ...filesBelow(dir).filter(at => at.endsWith('.dwp')),
      ])
      yield* tried(
        named,
        all.map(at => `${at}.dwp`),
      )
    },
    *files(name, directory) {
      if (name === '' || name.includes('\0') || directory?.includes('\0')) return
      yield* files
      const last = basename(name)
      const named = dirs.flatMap(dir => [
        ...(isAbsolute(name) || normalize(name).startsWith('..') ? [] : [join(dir, name)]),
        join(dir, last),
        ...filesBelow(dir).filter(at => basename(at) === last),
      ])
      // A directory that is none of the file system's is where the program is.
      const home = directory !== undefined && isAbsolute(directory) ? [directory] : paths.map(dirname)
      const told = isAbsolute(name) ? [name] : home.map(dir => join(dir, name))
      yield* tried(named, [...told, ...paths.map(at => join(dirname(at), last))])
    },
    warn,
  }
}

function openTrusted(path: string, keep: (resource: Disposable) => void): ElfFile | undefined {
  let source: OpenSource | undefined
  try {
    if (!isFile(path)) return undefined
    source = openFile(path)
    const elf = openElf(source)
    keep(source)
    return elf
  } catch {
    source?.[Symbol.dispose]()
    return undefined
  }
}

function openUntrusted(path: string, keep: (resource: Disposable) => void): ElfFile | undefined {
  let fd: number | undefined
  try {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size < least || kernels.test(normalize(path))) return undefined
    const opened = openRegular(path, { links: false })
    fd = opened.fd
    const source = new FileSource(path, fd, opened.size)
    const elf = openElf(source)
    keep(source)
    return elf
  } catch {
    if (fd !== undefined) closeSync(fd)
    return undefined
  }
}
