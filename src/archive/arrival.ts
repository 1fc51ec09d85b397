/**
 * When a dump came into its archive. Its age counts from then where that was after the crash: one that is imported, or comes
 * home late, is not old on its first day, and neither is the crash of a machine whose clock was not set yet.
 */
import { lstatSync } from 'node:fs'
import type { Manifest } from './manifest.ts'

/**
 * The manifest with the storage's own word for now: the last change of the dump's directory, which a moment ago was made or
 * got its core.
 */
export const withArrival = <M extends Manifest>(directory: string, manifest: M): M => ({
  ...manifest,
  stored: new Date(lstatSync(directory).mtimeMs).toISOString(),
})

const day = 24 * 60 * 60_000

/** Its crash is of a clock that was wrong, or this one is. */
export const isAhead = ({ time }: Pick<Manifest, 'time'>, now: number): boolean =>
  Date.parse(time) > now + day

/**
 * From when its age counts, milliseconds. A time before the archive was made, or ahead of now by more than a day, is of a
 * clock that was wrong; undefined where no other is known.
 */
export function birthOf(
  { time, stored = '' }: Pick<Manifest, 'time' | 'stored'>,
  made: number,
  now: number,
): number | undefined {
  const sound = [Date.parse(time), Date.parse(stored)].filter(at => at >= made && at <= now + day)
  return sound.length === 0 ? undefined : Math.max(...sound)
}
