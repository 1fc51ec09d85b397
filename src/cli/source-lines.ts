/**
 * Source lines beside frames, where the source is to be found on this machine. A path in a dump is only a hint: the
 * file may be of another version, or no source at all (a dump's author chooses the paths). So a file is shown only
 * when it looks like the one that was compiled: a source file by name and content, long enough, and with the frame's
 * function declared above the line.
 */
import { type CandidateOptions, candidates } from './source/candidates.ts'
import type { Checkout } from './source/checkout.ts'
import { readSource, type SourceText } from './source/read-source.ts'

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
  /** Fetches a file that is nowhere on this machine, where there is a server to ask, so that `lines` finds it. */
  prepare?(file: string): Promise<void>
  /** Sentences about what was shown and may not be what ran, each once. */
  readonly warnings: readonly string[]
  /** Whether any file was asked for and none was found. */
  readonly noneFound: boolean
}

export interface SourceOptions extends CandidateOptions {
  readonly checkout?: Checkout
  /** Path of a copy of a file that a server has. */
  readonly fetch?: (file: string) => Promise<string | undefined>
}

const sourceNames = /\.(go|s|S|c|cc|cpp|cxx|h|hh|hpp|inc|rs|y|l)$/i
/** Lines that are shown of one file are few; a program that names many files gets no more than these kept. */
const maxKept = 256

/**
 * Looks where the options say, then at the path itself, in the module cache and GOROOT; before all of them in the
 * checkout, which has the very commit.
 */
export function sourceFinder(dirs: readonly string[], env?: NodeJS.ProcessEnv): SourceFinder
export function sourceFinder(options: SourceOptions): SourceFinder
export function sourceFinder(
  given: readonly string[] | SourceOptions,
  env?: NodeJS.ProcessEnv,
): SourceFinder {
  const options: SourceOptions = isList(given) ? { dirs: given, ...(env ? { env } : {}) } : given
  const files = new Map<string, SourceText | undefined>()
  const warnings = new Set<string>()
  let asked = 0
  let found = 0
  const read = (file: string): SourceText | undefined => {
    if (!files.has(file)) {
      if (files.size >= maxKept) files.delete(files.keys().next().value!)
      files.set(file, options.checkout?.read(file) ?? firstSource(candidates(file, options)))
    }
    return files.get(file)
  }
  const { diedAt, modified } = options.origin ?? { modified: false }
  const { fetch } = options
  const fetched = new Set<string>()
  return {
    ...(fetch
      ? {
          async prepare(file: string): Promise<void> {
            if (!sourceNames.test(file) || read(file) || fetched.has(file) || fetched.size >= maxKept) return
            fetched.add(file)
            const copy = await fetch(file)
            if (copy !== undefined) files.set(file, readSource(copy))
          },
        }
      : {}),
    lines(frame, around) {
      if (frame.line < 1 || !sourceNames.test(frame.file)) return undefined
      asked++
      const source = read(frame.file)
      if (source === undefined || !plausible(source.lines, frame)) return undefined
      found++
      const { path, modifiedAt } = source
      if (modifiedAt !== undefined && diedAt !== undefined && modifiedAt > diedAt)
        warnings.add(`${path} was changed after the crash: its lines may not be those that ran.`)
      if (modifiedAt === undefined && modified)
        warnings.add('The program was built with changes that its commit does not have: lines may differ.')
      const text = source.lines
      const from = Math.max(1, frame.line - around.before)
      const to = Math.min(text.length, frame.line + around.after)
      return text.slice(from - 1, to).map((content, i) => ({
        number: from + i,
        text: content.replace(/\r$/, '').replaceAll('\t', '    '),
        here: from + i === frame.line,
      }))
    },
    get warnings() {
      return [...warnings]
    },
    get noneFound() {
      return asked > 0 && found === 0
    },
  }
}

const isList = (given: readonly string[] | SourceOptions): given is readonly string[] => Array.isArray(given)

function firstSource(places: readonly string[]): SourceText | undefined {
  for (const place of places) {
    const text = readSource(place)
    if (text !== undefined) return text
  }
  return undefined
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
