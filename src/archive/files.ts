/** Files of an archive, whose absence is no error: on NFS directories lag behind, and others remove what was listed. */
import { accessSync, constants, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ArchiveError, reasonOf } from '../base/errors.ts'
import { readRegularFile } from '../base/regular-file.ts'

/** Names in a directory, least first; none where it doesn't exist. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Those that fit, greatest first; none where it is no directory. Throws ArchiveError. */
export function names(directory: string, pattern: RegExp): string[] {
  try {
    return namesIn(directory)
      .filter(name => pattern.test(name))
      .reverse()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return []
    throw new ArchiveError(`Cannot list ${directory}: ${reasonOf(error)}`, { cause: error })
  }
}

/** The text of a file; undefined where there is none. Throws ArchiveError. */
export function readText(path: string, most: number): string | undefined {
  try {
    return readRegularFile(path, most)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ArchiveError(`Cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** There, itself and not what a link points to. */
export const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false

export const exists = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

export function mayList(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EACCES'
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Names that NFS and FUSE give a deleted file as long as somebody on this machine has it open; it goes when that ends. */
const heldOpen = /^\.(nfs|fuse_hidden)[0-9a-f]+$/

/** Removes a file, or a directory with all that lies in it; what is only held open in it is no failure. */
export function removeAll(path: string): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) removeDirectory(path)
    else removeIfThere(path)
  } catch (error) {
    if (!heldOpen.test(basename(path))) throw error
  }
}

function removeDirectory(directory: string): void {
  for (const name of namesIn(directory)) removeAll(join(directory, name))
  try {
    rmdirSync(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const left = code === 'ENOTEMPTY' ? namesIn(directory) : []
    // An emptied one counts for nothing, and goes with what is left over.
    if (code !== 'ENOENT' && !(left.length > 0 && left.every(name => heldOpen.test(name)))) throw error
  }
}
