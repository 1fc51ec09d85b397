/** The machine as doctor reads it. `root` puts a made-up tree in its place for tests. */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Host {
  readonly root: string
  /** Text of a file, at most 1 MiB of it; undefined where it is absent or forbidden. */
  text(path: string): string | undefined
  names(path: string): string[]
  link(path: string): string | undefined
  /** Throws EACCES where one may not look. */
  exists(path: string): boolean
  /** User to whom a file belongs, or undefined. It takes no leave to open it. */
  owner(path: string): number | undefined
  /** Opens for reading, or undefined. The caller closes. */
  open(path: string): number | undefined
  /** Standard output of a command, or undefined where it fails or is not there. */
  output(argv: readonly string[]): string | undefined
}

const mostText = 1024 * 1024

export function openHost(root = '/'): Host {
  const at = (path: string): string => (root === '/' ? path : join(root, path))
  return {
    root,
    text(path) {
      const fd = this.open(path)
      if (fd === undefined) return undefined
      try {
        const parts: Buffer[] = []
        for (let total = 0; total < mostText; ) {
          const part = Buffer.alloc(65536)
          const length = readSync(fd, part)
          if (length === 0) break
          parts.push(part.subarray(0, length))
          total += length
        }
        return Buffer.concat(parts).toString('latin1')
      } catch {
        return undefined
      } finally {
        closeSync(fd)
      }
    },
    names(path) {
      try {
        return readdirSync(at(path))
      } catch {
        return []
      }
    },
    link(path) {
      try {
        return readlinkSync(at(path))
      } catch {
        return undefined
      }
    },
    exists(path) {
      return statSync(at(path), { throwIfNoEntry: false }) !== undefined
    },
    owner(path) {
      try {
        return statSync(at(path)).uid
      } catch {
        return undefined
      }
    },
    open(path) {
      try {
        return openSync(at(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
      } catch {
        return undefined
      }
    },
    output(argv) {
      if (root !== '/') return undefined
      try {
        return execFileSync(argv[0]!, argv.slice(1), {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          timeout: 5000,
        })
      } catch {
        return undefined
      }
    },
  }
}

/** A small text of one line, such as a sysctl. */
export const lineOf = (host: Host, path: string): string | undefined => host.text(path)?.split('\n', 1)[0]
