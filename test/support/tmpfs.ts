/** A file system of bounds: what is written there finds no room, or no inodes, when a test says so. */
import { execFileSync } from 'node:child_process'

/** Mounts one at this path, with these options of tmpfs(5), until it is disposed of. Needs root. */
export function mountTmpfs(path: string, options: string): Disposable {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  return { [Symbol.dispose]: () => execFileSync('umount', [path]) }
}
