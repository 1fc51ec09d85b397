/** Files of an archive, whose absence is no error: on NFS directories lag behind, and others remove what was listed. */
import { accessSync, constants, lstatSync, readdirSync, unlinkSync } from 'node:fs'
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
