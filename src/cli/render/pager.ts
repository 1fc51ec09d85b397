/**
 * Where the lines go: straight to standard output, or on a terminal through a pager when they do not fit on it.
 * Lines are pulled from the renderer one by one, so that the first screen of a long text is there at once and what
 * nobody reads is never made.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { writeLines } from './output.ts'
import { endProgress } from './progress.ts'

export interface PageOptions {
  /** `false`: never a pager (`--no-pager`). */
  pager?: boolean
  env?: NodeJS.ProcessEnv
}

/** Prints lines. Throws ReaderGone when the reader of a pipe left; a pager that was quit is no error. */
export async function page(lines: Iterable<string>, options: PageOptions = {}): Promise<void> {
  const command = pagerCommand(options)
  if (command === undefined) return writeLines(1, afterProgress(lines))
  const rows = Math.max(1, (process.stdout.rows || 24) - 1)
  const iterator = afterProgress(lines)
  const first: string[] = []
  for (let next = iterator.next(); ; next = iterator.next()) {
    if (next.done) return writeLines(1, first)
    // What is printed by the thousand comes in texts of several lines.
    first.push(...next.value.split('\n'))
    if (first.length > rows) break
  }
  await throughPager(command, first, iterator)
}

/** The first line is the end of the work that a progress line tells of. */
function* afterProgress(lines: Iterable<string>): Generator<string> {
  let first = true
  for (const line of lines) {
    if (first) endProgress()
    first = false
    yield line
  }
}

/**
 * Whether sudo made us somebody else than who sits at the terminal. A pager runs any program that its user names, which
 * sudo's rules may not have meant (CVE-2023-26604 in systemctl).
 */
const isLent = ({ SUDO_UID }: NodeJS.ProcessEnv): boolean =>
  SUDO_UID !== undefined && Number(SUDO_UID) !== process.geteuid?.()

/** The user's pager, `less` where none is or may be named, none off a terminal or where PAGER is empty or `cat`. */
export function pagerCommand(options: PageOptions, isTTY = process.stdout.isTTY): string | undefined {
  const env = options.env ?? process.env
  if (options.pager === false || isTTY !== true || env.TERM === 'dumb') return undefined
  const named = env.GOCORE_SINK_PAGER ?? env.PAGER ?? 'less'
  if (named === '' || named === 'cat') return undefined
  const command = isLent(env) ? 'less' : named
  return installed(command, env) ? command : undefined
}

/** Whether the command's first word is a program that can be started. */
function installed(command: string, env: NodeJS.ProcessEnv): boolean {
  const word = command.trim().split(/\s+/)[0]!
  const places = word.includes('/') ? [word] : (env.PATH ?? '').split(':').map(dir => `${dir || '.'}/${word}`)
  return places.some(place => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

async function throughPager(command: string, first: string[], rest: Iterator<string>): Promise<void> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LESS: process.env.LESS ?? 'FRX',
    LESSCHARSET: process.env.LESSCHARSET ?? 'utf-8',
    ...(isLent(process.env) ? { LESSSECURE: '1' } : {}),
  }
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'], env })
  // Ctrl-C belongs to the pager while it runs.
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  let gone = false
  const ended = once(child, 'exit').then(() => {
    gone = true
  })
  child.stdin.on('error', () => {
    gone = true
  })
  const write = async (text: string): Promise<void> => {
    if (!gone && !child.stdin.write(text))
      await Promise.race([once(child.stdin, 'drain').catch(() => {}), ended])
  }
  await write(`${first.join('\n')}\n`)
  let text = ''
  for (let next = rest.next(); !next.done && !gone; next = rest.next()) {
    text += `${next.value}\n`
    if (text.length < 32 * 1024) continue
    await write(text)
    text = ''
    // Let the pager's end be noticed even when the pipe never fills.
    await new Promise(resolve => setImmediate(resolve))
  }
  await write(text)
  rest.return?.()
  child.stdin.end()
  await ended
  process.off('SIGINT', ignore)
}
