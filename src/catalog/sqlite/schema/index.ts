import { crashes } from './0001-crashes.ts'
import { killedHandlers } from './0002-killed-handlers.ts'
import { heldAndShrunk } from './0003-held-and-shrunk.ts'
import { manifestTimes } from './0004-manifest-times.ts'
import { words } from './0005-words.ts'

/** Migration n brings a catalog from version n - 1 to n. Append only: files of each version are in the field. */
export const migrations: readonly string[] = [crashes, killedHandlers, heldAndShrunk, manifestTimes, words]

/** Catalogs before this version have the words of all dumps. */
export const wordyBefore = 5
