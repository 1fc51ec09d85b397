/** What an archive takes on its disk. */
import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Steps } from '../base/steps.ts'

/** Told of each directory with the bytes of disk below it. */
export type OnMeasured = (directory: string, bytes: number) => void

/** Bytes of disk below a directory. What can't be looked at counts for nothing: too little is deleted for it rather than too much. */
export function* sizeBelow(directory: string, depth: number, onMeasured?: OnMeasured): Steps<number> {
  let sum = 0
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) sum += depth > 0 ? yield* sizeBelow(path, depth - 1, onMeasured) : 0
    else if (entry.isFile()) sum += blocksOf(path) * 512
  }
  onMeasured?.(directory, sum)
  yield
  return sum
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}

function blocksOf(path: string): number {
  try {
    return lstatSync(path).blocks
  } catch {
    return 0
  }
}
