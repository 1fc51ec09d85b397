/**
 * One change to the machine: what it is, whether it is needed, and how it is made. install and uninstall are lists of
 * these, so that a dry run, a second run and the real thing go the same way.
 */
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { reasonOf, SystemError } from '../base/errors.ts'
import { copyTree, ensureDirectory, groupId, removeTree, writeFileWhole } from './files.ts'
import { readKernelSetting, writeKernelSetting } from './kernel.ts'

export type Step =
  | { kind: 'directory'; path: string; at: string; mode: number; group?: string }
  /** Written whole or not at all; `keep`: one that is there stays, it may be the administrator's. */
  | { kind: 'file'; path: string; at: string; mode: number; text: string; keep?: boolean; quiet?: boolean }
  /** A directory that never changes once it is there, put in place by one rename. */
  | { kind: 'tree'; path: string; at: string; entries: readonly TreeEntry[] }
  | { kind: 'kernel'; name: string; value: string; proc: string }
  /** `optional`: one that fails is told of, and no more. */
  | { kind: 'command'; argv: readonly string[]; why: string; needed: () => boolean; optional?: true }
  /** What is none of the others. */
  | { kind: 'act'; what: string; needed: () => boolean; act: () => void }
  | { kind: 'remove'; path: string; at: string; recursive?: boolean; onlyEmpty?: boolean }

/** A file (`from`) or a text to be laid into a tree. */
export interface TreeEntry {
  readonly to: string
  readonly from?: string
  readonly text?: string
  readonly mode: number
}

export type Say = (line: string) => void

/** The step in one line, as both the dry run and the real run print it. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'directory':
      return `directory ${step.path}, mode ${step.mode.toString(8)}${step.group ? `, group ${step.group}` : ''}`
    case 'file':
      return `file ${step.path}${step.keep ? ' (kept where there is one)' : ''}`
    case 'tree':
      return `program ${step.path}, ${step.entries.length} files`
    case 'kernel':
      return `kernel.${step.name} = ${step.value}`
    case 'command':
      return `run ${step.argv.join(' ')} (${step.why})`
    case 'act':
      return step.what
    case 'remove':
      return `remove ${step.path}`
  }
}

export function isDone(step: Step): boolean {
  switch (step.kind) {
    case 'directory':
      return modeOf(step.at) === (0o040000 | step.mode) && hasGroup(step.at, step.group)
    case 'file':
      if (step.keep && modeOf(step.at) !== undefined) return true
      return modeOf(step.at) === (0o100000 | step.mode) && readFileSync(step.at, 'utf8') === step.text
    case 'tree':
      return modeOf(step.at) !== undefined
    case 'kernel':
      return readKernelSetting(step.name, step.proc) === step.value
    case 'command':
    case 'act':
      return !step.needed()
    case 'remove':
      if (modeOf(step.at) === undefined) return true
      return step.onlyEmpty === true && readdirSync(step.at).length > 0
  }
}

/** Whether the group is this one, where one is wanted; one that is still to be made is none. */
function hasGroup(path: string, group: string | undefined): boolean {
  try {
    return group === undefined || statSync(path).gid === groupId(group)
  } catch {
    return false
  }
}

/** What is to be said of it besides. */
function apply(step: Step): string | undefined {
  switch (step.kind) {
    case 'directory':
      ensureDirectory(step.at, step.mode, step.group)
      break
    case 'file':
      writeFileWhole(step.at, step.text, step.mode)
      break
    case 'tree':
      copyTree(step.at, step.entries)
      break
    case 'kernel':
      writeKernelSetting(step.name, step.value, step.proc)
      break
    case 'command':
      try {
        runCommand(step.argv)
      } catch (error) {
        if (!step.optional) throw error
        return `failed, and was passed over: ${reasonOf(error)}`
      }
      break
    case 'act':
      step.act()
      break
    case 'remove':
      if (!removeTree(step.at, step.recursive === true))
        return 'a directory in use stays, as one that a file system is mounted on'
  }
  return undefined
}

export interface RunResult {
  changed: number
  same: number
}

/**
 * Makes the changes that are needed, in order. The first that fails ends the run, and the message names it. Users pass
 * through what is made on the way to a file, whatever umask the administrator works with.
 */
export function runSteps(steps: readonly Step[], options: { dryRun: boolean; say: Say }): RunResult {
  const umask = process.umask(0o022)
  try {
    return runEach(steps, options)
  } finally {
    process.umask(umask)
  }
}

function runEach(steps: readonly Step[], options: { dryRun: boolean; say: Say }): RunResult {
  const result: RunResult = { changed: 0, same: 0 }
  for (const step of steps) {
    const done = naming(step, () => isDone(step))
    if (options.dryRun) describeDry(step, done, options.say)
    if (done) {
      result.same++
      continue
    }
    result.changed++
    if (options.dryRun) continue
    const remark = naming(step, () => apply(step))
    if (step.kind === 'file' && step.quiet) continue
    options.say(`+ ${describeStep(step)}${remark === undefined ? '' : `: ${remark}`}`)
  }
  return result
}

/** Whatever goes wrong is told with the step's name. */
function naming<T>(step: Step, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const reason = error instanceof SystemError ? error.message : reasonOf(error)
    throw new SystemError(`Could not do "${describeStep(step)}": ${reason}`, { cause: error })
  }
}

/** The whole change for a reader: also the text of each file, save for generated ones. */
function describeDry(step: Step, done: boolean, say: Say): void {
  say(`${done ? '=' : '+'} ${describeStep(step)}${done ? ': is so already' : ''}`)
  if (done) return
  if (step.kind === 'file' && !step.quiet)
    for (const line of step.text.trimEnd().split('\n')) say(`    ${line}`)
  if (step.kind === 'tree') for (const entry of step.entries) say(`    ${entry.to}`)
}

function runCommand(argv: readonly string[]): void {
  try {
    execFileSync(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new SystemError(stderr?.trim() || message)
  }
}

/** Type and permission bits, or undefined where there is nothing. A symbolic link is one, not what it points to. */
function modeOf(path: string): number | undefined {
  try {
    return lstatSync(path).mode
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
