/**
 * Source lines beside frames, where the source is to be found on this machine. A path in a dump is only a hint: the
 * file may be of another version, or no source at all (a dump's author chooses the paths). So a file is shown only
 * when it looks like the one that was compiled: a source file by name and content, long enough, and with the frame's
 * function declared above the line.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface SourceLine {
  readonly number: number
  readonly text: string
  /** The frame's own line. */
  readonly here: boolean
}

export interface SourceFinder {
  /** Lines around `line` of the file that a frame names, or undefined where it isn't found or isn't plausible. */
  lines(
    frame: { file: string; line: number; function: string },
    around: { before: number; after: number },
  ): SourceLine[] | undefined
  /** Whether any file was asked for and none was found. */
  readonly noneFound: boolean
}

const largest = 4 * 1024 * 1024
const sourceNames = /\.(go|s|c|cc|cpp|cxx|h|hpp|rs)$/i

/** Looks at the path itself, then below each of `dirs`, then in the module cache and GOROOT for `-trimpath` names. */
export function sourceFinder(dirs: readonly string[], env: NodeJS.ProcessEnv = process.env): SourceFinder {
  const files = new Map<string, string[] | undefined>()
  let asked = 0
  let found = 0
  const read = (file: string): string[] | undefined => {
    if (!files.has(file)) files.set(file, firstSource(candidates(file, dirs, env)))
    return files.get(file)
  }
  return {
    lines(frame, around) {
      if (frame.line < 1 || !sourceNames.test(frame.file)) return undefined
      asked++
      const text = read(frame.file)
      if (text === undefined || !plausible(text, frame)) return undefined
      found++
      const from = Math.max(1, frame.line - around.before)
      const to = Math.min(text.length, frame.line + around.after)
      return text.slice(from - 1, to).map((content, i) => ({
        number: from + i,
        text: content.replaceAll('\t', '    '),
        here: from + i === frame.line,
      }))
    },
    get noneFound() {
      return asked > 0 && found === 0
    },
  }
}

/** Where a file named in a dump may lie here, best first. */
export function candidates(file: string, dirs: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const parts = file.split('/').filter(part => part !== '' && part !== '.' && part !== '..')
  const places: string[] = file.startsWith('/') ? [file] : []
  for (const dir of dirs) for (let i = 0; i < parts.length; i++) places.push(join(dir, ...parts.slice(i)))
  if (!file.startsWith('/')) {
    const gopath = env.GOPATH?.split(':')[0] || join(env.HOME || homedir(), 'go')
    places.push(join(env.GOMODCACHE || join(gopath, 'pkg/mod'), ...parts))
    for (const root of [env.GOROOT, '/usr/local/go', '/usr/lib/go'])
      if (root) places.push(join(root, 'src', ...parts))
  }
  return places
}

function firstSource(places: readonly string[]): string[] | undefined {
  for (const place of places) {
    const text = readSource(place)
    if (text !== undefined) return text.split('\n')
  }
  return undefined
}

/** A regular file of reasonable size without NUL bytes; never a device or a FIFO that would block. */
function readSource(path: string): string | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY)
  } catch {
    return undefined
  }
  try {
    const { size } = fstatSync(fd)
    if (!fstatSync(fd).isFile() || size === 0 || size > largest) return undefined
    const bytes = Buffer.alloc(size)
    const text = bytes.subarray(0, readSync(fd, bytes, 0, size, 0)).toString('utf8')
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

/** Whether the file can be the one that was compiled: it has the line, and the function begins above it. */
export function plausible(
  text: readonly string[],
  frame: { file: string; line: number; function: string },
): boolean {
  if (frame.line < 1 || frame.line > text.length) return false
  if (!frame.file.endsWith('.go')) return true
  const name = declaredName(frame.function)
  for (let i = frame.line - 1; i >= 0; i--) {
    const declared = /^func\s+(?:\([^)]*\)\s*)?([\p{L}_][\p{L}\p{N}_]*)/u.exec(text[i]!)
    if (declared) return name === undefined || declared[1] === name
  }
  // Above every function: a variable's initialiser.
  return name === undefined || name === 'init'
}

/**
 * The name in the declaration of a Go symbol: `put` of `main.(*cache).put` and `main.cache.put`, `main` of
 * `main.main.func1.2`; undefined where the code lies in a variable's initialiser (`main.init`, `main.glob..func1`).
 */
export function declaredName(symbol: string): string | undefined {
  const local = symbol.slice(symbol.lastIndexOf('/') + 1).replace(/\[[^\]]*\]/g, '')
  const [first, second] = local.split('.').slice(1)
  if (first === undefined || first === '' || first === 'glob') return undefined
  if (first === 'init') return /^\d+$/.test(second ?? '') ? 'init' : undefined
  const closure = second === undefined || second === '' || /^(?:(?:func|gowrap|deferwrap)?\d+)/.test(second)
  return (closure ? first : second).replace(/-(?:fm|range\d+)$/, '')
}
