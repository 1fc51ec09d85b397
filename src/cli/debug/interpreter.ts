/** Lines to answers, whoever types them: what is printed, where it goes, and what a failure is. */
import { writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { toJson } from '../render/escape.ts'
import { OutputLost, ReaderGone, writeLines } from '../render/output.ts'
import { sentenceOf } from '../render/sentence.ts'
import { type Answer, silence } from './command.ts'
import { displayed } from './commands/session.ts'
import { Interrupted } from './interruptible.ts'
import { parseLine, runCommand } from './run-command.ts'
import type { DebugState } from './state.ts'
import { answerJson } from './verb.ts'

/** Commands after which expressions on display are printed again. */
const moving: ReadonlySet<string> = new Set(['frame', 'up', 'down', 'goroutine', 'thread'])

/** Runs one line; false where it failed, and then standard error says why. */
export async function interpret(state: DebugState, line: string): Promise<boolean> {
  state.interrupted = false
  const before = state.position
  try {
    const { transcript } = state
    const answer = await runCommand(state, line)
    // The command that begins a transcript is none of its lines.
    if (state.json) writeJson(state, answer, line)
    else await write(state, answer, state.transcript === transcript ? line : '')
    const moved = state.position !== before && moving.has(parseLine(state, line.trim()).command.name)
    if (moved && !state.json && state.displays.some(expression => expression !== undefined))
      await write(state, await displayed(state), '')
    return true
  } catch (error) {
    if (error instanceof ReaderGone || error instanceof OutputLost || !(error instanceof Error)) throw error
    // What is interrupted puts nothing back itself.
    if (error instanceof Interrupted) state.position = before
    // An error of this program costs one answer, not the session.
    if (state.json)
      writeLines(1, [toJson({ schema: 'gocore-error', version: 1, command: line, error: error.message })])
    const text = `${error instanceof Interrupted ? error.message : sentenceOf(error)}\n`
    if (state.transcript) writeSync(state.transcript.fd, `> ${line}\n${text}`)
    process.stderr.write(text)
    return false
  }
}

/** What has no data, as what only changes something, has its text; comments and empty lines have nothing. */
function writeJson({ id, guard }: DebugState, answer: Answer, line: string): void {
  if (answer === silence && /^\s*(?:#|$)/.test(line)) return
  const told = answer.data ? guard(() => answerJson(answer, 'gocore-answer', id)) : undefined
  const { schema, version, ...rest } = told ?? {
    schema: 'gocore-answer',
    version: 1,
    id,
    lines: [...answer.lines()].map(stripVTControlCharacters),
  }
  writeLines(1, [toJson({ schema, version, command: line.trim(), ...rest })])
}

async function write(state: DebugState, answer: Answer, line: string): Promise<void> {
  const { transcript } = state
  if (!transcript) return printed(state, answer.lines())
  const lines = state.guard(() => [...answer.lines()])
  writeLines(transcript.fd, [...(line === '' ? [] : [`> ${line}`]), ...lines])
  if (!transcript.alone) await printed(state, lines)
}

/** Long enough to print much, short enough for who waits for Ctrl-C to be heard. */
const breath = 50

/** On a terminal a key is heard now and then; who asks for the end gets it. */
async function printed(state: DebugState, lines: Iterable<string>): Promise<void> {
  if (!process.stdin.isTTY) return writeLines(1, lines)
  const iterator = lines[Symbol.iterator]()
  for (let done = false; !done; ) {
    const batch: string[] = []
    try {
      done = state.guard(() => fill(batch, iterator))
    } finally {
      writeLines(1, batch)
    }
    await setImmediate()
    if (state.interrupted) throw new Interrupted()
  }
}

/** Lines for as long as one breath; whether those were the last. */
function fill(batch: string[], lines: Iterator<string>): boolean {
  for (const since = performance.now(); performance.now() - since < breath; ) {
    const next = lines.next()
    if (next.done) return true
    batch.push(next.value)
  }
  return false
}
