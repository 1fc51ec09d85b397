/** The note of a dump whose core's rest stays in a spool for good: it can't be joined with what the archive has. */
import { hostname } from 'node:os'
import type { Manifest } from './manifest.ts'

const stays = (spoolRoot: string): string => `stays in ${spoolRoot} of ${hostname()}: `

/** `size`: bytes of the file there. */
export const noteOfRest = (size: number, spoolRoot: string, why: string): string =>
  `More of its core, ${size} bytes of the file, ${stays(spoolRoot)}${why}.`

/** Whether the dump has such a rest in this spool. */
export const hasRestIn = ({ notes }: Manifest, spoolRoot: string): boolean =>
  notes.some(note => note.includes(stays(spoolRoot)))
