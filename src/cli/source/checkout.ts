/** Source as a commit has it: `git cat-file` in a checkout that the user names, at the revision that the program does. */
import { spawnSync } from 'node:child_process'
import { UsageError } from '../../base/errors.ts'
import type { SourceOrigin } from './origin.ts'
import { isText, largestSource, linesOf, type SourceText } from './read-source.ts'

export interface Checkout {
  /** Undefined where the commit has no such file. */
  read(file: string): SourceText | undefined
}

const timeout = 20_000
/** Files that were not found are not asked for without end. */
const maxMisses = 2000

/** Throws UsageError where the directory is no checkout, or lacks the program's commit. */
export function openCheckout(dir: string, { revision, mainModule }: SourceOrigin): Checkout {
  if (revision === undefined)
    throw new UsageError(
      `--checkout ${dir} is of no use: the program does not say which commit it was built from.`,
    )
  const found = git(dir, ['cat-file', '-t', revision])
  if (found?.toString().trim() !== 'commit')
    throw new UsageError(`${dir} is no git checkout that has the commit ${revision}.`)
  let misses = 0
  return {
    read(file) {
      for (const path of pathsIn(file, mainModule)) {
        if (misses >= maxMisses) return undefined
        const bytes = git(dir, ['cat-file', 'blob', `${revision}:${path}`])
        if (bytes && isText(bytes)) return { path: `${revision.slice(0, 12)}:${path}`, lines: linesOf(bytes) }
        misses++
      }
      return undefined
    },
  }
}

/** The repository's root may be the module's or above it, and is anywhere in the path of a build without -trimpath. */
function pathsIn(file: string, mainModule: string | undefined): string[] {
  const parts = file.split('/').filter(part => part !== '' && part !== '.' && part !== '..')
  const inModule =
    mainModule !== undefined && file.startsWith(`${mainModule}/`) ? [file.slice(mainModule.length + 1)] : []
  return [...inModule, ...parts.map((_, i) => parts.slice(i).join('/'))].slice(0, 32)
}

/** Standard output; undefined where git fails, or prints more than a source file has. No filter, hook or pager runs. */
function git(dir: string, args: readonly string[]): Buffer | undefined {
  const { status, stdout } = spawnSync('git', ['--no-replace-objects', '-C', dir, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' },
    maxBuffer: largestSource,
    timeout,
  })
  return status === 0 ? stdout : undefined
}
