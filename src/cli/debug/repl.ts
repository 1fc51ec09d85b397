/** The debugger in a terminal: line editing, history and Tab; and in a pipe, where it is silent but for its answers. */
import { appendFileSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { makePath } from '../../base/directory.ts'
import { stopTranscript } from './commands/session.ts'
import { complete } from './complete.ts'
import { interpret } from './interpreter.ts'
import { interruptible } from './interruptible.ts'
import { parseLine } from './run-command.ts'
import type { DebugState } from './state.ts'

const prompt = '(gocore) '
const maxHistory = 1000

export const historyFile = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local/state'), 'gocore-sink/debug-history')

/** Runs the commands that were given, then those that are typed; false where one of a script failed. */
export async function runDebugger(state: DebugState, given: readonly string[]): Promise<boolean> {
  let sound = true
  try {
    for (const line of given) {
      if (state.done) break
      sound = (await interpret(state, line)) && sound
    }
    if (given.length > 0 || state.done) return sound
    return process.stdin.isTTY && process.stdout.isTTY ? await interactive(state) : await piped(state)
  } finally {
    stopTranscript(state)
  }
}

async function piped(state: DebugState): Promise<boolean> {
  let sound = true
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    sound = (await interpret(state, line)) && sound
    if (state.done) break
  }
  return sound
}

async function interactive(state: DebugState): Promise<boolean> {
  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt,
    history: readHistory(),
    historySize: maxHistory,
    removeHistoryDuplicates: true,
    completer: (line: string) => completion(state, line),
  })
  let busy = false
  reader.on('SIGINT', () => {
    if (busy) state.interrupted = true
    else clearLine(reader)
  })
  state.guard = heeding
  let last = ''
  reader.prompt()
  for await (const typed of reader) {
    const line = typed.trim() === '' && repeats(state, last) ? last : typed.trim()
    remember(line)
    busy = true
    await interpret(state, line)
    busy = false
    last = line
    if (state.done) break
    reader.prompt()
  }
  if (!state.done) process.stdout.write('\n')
  reader.close()
  return true
}

let heeds = false

/**
 * Ctrl-C is a key to node:readline, in raw mode, which is heard when nothing runs. The terminal makes a signal of it only
 * while `interruptible` waits for one: at any other moment that would end the session.
 */
function heeding<T>(work: () => T): T {
  if (heeds) return work()
  const raw = (on: boolean): void => {
    heeds = !on
    process.stdin.setRawMode(on)
  }
  try {
    return interruptible(() => {
      raw(false)
      try {
        return work()
      } finally {
        raw(true)
      }
    })
  } finally {
    // What is interrupted does not get to its own `finally`.
    if (heeds) raw(true)
  }
}

function completion(state: DebugState, line: string): [string[], string] {
  try {
    const [offers, replaced] = complete(state, line)
    const [only] = offers
    return [offers.length === 1 && !/[.(/]$/.test(only!) ? [`${only} `] : offers, replaced]
  } catch {
    return [[], line]
  }
}

/** What a shell does: the line is given up, the program goes on. */
function clearLine(reader: Interface): void {
  process.stdout.write('^C\n')
  // Not by keys: on a terminal that cannot move its cursor they do nothing.
  Object.assign(reader, { line: '', cursor: 0 })
  reader.prompt()
}

function repeats(state: DebugState, last: string): boolean {
  if (last === '') return false
  try {
    return parseLine(state, last).command.repeats === true
  } catch {
    return false
  }
}

/** Newest first, as node:readline has it; no history is no error. */
function readHistory(): string[] {
  try {
    const lines = readFileSync(historyFile(), 'utf8')
      .split('\n')
      .filter(line => line !== '')
    return lines.slice(-maxHistory).reverse()
  } catch {
    return []
  }
}

let remembered = ''

function remember(line: string): void {
  if (line === '' || line === remembered) return
  remembered = line
  try {
    makePath(dirname(historyFile()), 0o700)
    appendFileSync(historyFile(), `${line}\n`, { mode: 0o600 })
  } catch {
    // A home that cannot be written has no history.
  }
}
