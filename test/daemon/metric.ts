/** What the daemon tells monitoring. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestArchive } from './archive.ts'

/** The value of `gocore_sink_NAME`; undefined where there is no such line. */
export function metric({ directory }: TestArchive, name: string): number | undefined {
  const path = join(directory, 'run/metrics.prom')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const value = new RegExp(`^gocore_sink_${name} (.*)$`, 'm').exec(text)?.[1]
  return value === undefined ? undefined : Number(value)
}
