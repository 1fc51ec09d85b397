/** What Tab offers: commands, variables and functions, goroutines and threads, files, settings. */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Completion } from './command.ts'
import { topicNames } from './info-topics.ts'
import { parseLine } from './run-command.ts'
import { settingKeys, settingName } from './settings.ts'
import { clean, type DebugState } from './state.ts'
import { commands } from './table.ts'

const maxOffers = 200

/** Candidates for the end of a line, and the part of the line that they replace. */
export function complete(state: DebugState, line: string): [offers: string[], replaced: string] {
  const text = line.trimStart()
  const flag = /\s(-[a-z]*)$/.exec(text)?.[1]
  if (flag !== undefined) {
    const flags = flagsOf(state, text.slice(0, -flag.length))
    if (flags.length > 0) return [begun(flags, flag), flag]
  }
  const word = /(?:[^\s()[\]{},*&!+=<>-]|(?<=[\w)\]])->?)*$/.exec(text)?.[0] ?? ''
  const head = text.slice(0, text.length - word.length)
  if (head.trim() === '') return [begun(commandNames(state), word), word]
  const [what, rest] = targetOf(state, head)
  if (what === undefined) return [[], word]
  if (what === 'command') return [begun(commandNames(state), word), word]
  return [begun(offersOf(state, what, word, rest), word), word]
}

/** What the last word is, also behind `goroutine 5 frame 4 p`. */
function targetOf(state: DebugState, head: string): [what: Completion | undefined, rest: string] {
  let text = head
  for (let depth = 0; depth < 8; depth++) {
    let parsed: ReturnType<typeof parseLine>
    try {
      parsed = parseLine(state, text.trim())
    } catch {
      return [undefined, '']
    }
    const { command, rest } = parsed
    const prefix = /^(?:frame|up|down|goroutine|thread|deferred)$/.test(command.name)
    const [, number, after] = /^(\S+)(?:\s+(.*))?$/.exec(rest) ?? []
    if (!prefix || number === undefined) return [command.name === 'frame' ? 'frame' : command.complete, rest]
    if (after === undefined || after.trim() === '') return ['command', '']
    text = `${after} `
  }
  return [undefined, '']
}

/** `-full`, `-with`: the options that a command's help tells of. */
function flagsOf(state: DebugState, head: string): string[] {
  try {
    const { usage, details = [] } = parseLine(state, head.trim()).command
    return [...`${usage}\n${details.join('\n')}`.matchAll(/(?<![\w-])-[a-z]+\b/g)].map(match => match[0])
  } catch {
    return []
  }
}

const commandNames = (state: DebugState): string[] => [
  ...commands().flatMap(({ name, aliases = [] }) => [name, ...aliases.filter(alias => alias.length > 2)]),
  ...state.aliases.keys(),
]

function offersOf(state: DebugState, what: Completion, word: string, rest: string): readonly string[] {
  const { program } = state.debugger
  switch (what) {
    case 'goroutine':
      return rest === '' ? [...state.debugger.goroutines()].map(({ id }) => String(id)) : []
    case 'frame':
      return rest === '' ? (state.position.stack?.frames.map(frame => frame.function) ?? []) : []
    case 'topic':
      return rest === '' ? topicNames : []
    case 'thread':
      return state.debugger.process.image.core.threads.map(({ tid }) => String(tid))
    case 'function':
      return program.functionNames()
    case 'type':
      return program.typeNames()
    case 'expression':
      return expressionOffers(state, word)
    case 'setting':
      return settingKeys.map(settingName)
    case 'file':
      return files(word)
    case 'command':
      return commandNames(state)
  }
}

/** Variables of the frame, fields behind a dot, package variables. */
function expressionOffers(state: DebugState, word: string): string[] {
  const { frame } = state.position
  const locals = frame
    ? state.debugger
        .variables(frame)
        .all()
        .map(({ name }) => name)
    : []
  const dot = word.lastIndexOf('.')
  const builtins = ['len(', 'cap(', 'true', 'false', 'nil', '$pc', '$sp', 'runtime.curg']
  // Nothing typed yet: what is near, not the thousand variables of the runtime.
  if (word === '') return [...locals, ...own(state), ...builtins]
  if (dot < 0) {
    const globals = state.debugger.program.globalNames()
    return [...locals, ...own(state), ...globals, ...builtins]
  }
  const holder = word.slice(0, dot)
  return [
    ...fieldsOf(state, holder).map(field => `${holder}.${field}`),
    ...state.debugger.program.globalNames(),
  ]
}

/** Variables of the frame's package, by their bare names. */
function own({ debugger: { program }, position: { frame } }: DebugState): string[] {
  const name = frame?.function ?? 'main.'
  const prefix = `${name.slice(0, name.indexOf('.', name.lastIndexOf('/') + 1))}.`
  return program
    .globalNames()
    .flatMap(global => (global.startsWith(prefix) ? [global.slice(prefix.length)] : []))
}

function fieldsOf(state: DebugState, expression: string): string[] {
  try {
    let { type } = state.evaluate(expression)
    if (type.kind === 'pointer') type = type.elem() ?? type
    if (type.kind === 'struct' || type.kind === 'union') return type.fields().map(({ name }) => name)
  } catch {
    // A package, or nothing yet.
  }
  return []
}

function files(word: string): string[] {
  const dir = word.includes('/') ? dirname(`${word}x`) : '.'
  try {
    return readdirSync(dir, { withFileTypes: true })
      .slice(0, 1000)
      .map(
        entry => (word.includes('/') ? join(dir, entry.name) : entry.name) + (entry.isDirectory() ? '/' : ''),
      )
  } catch {
    return []
  }
}

/** Each once, printable, at most as many as one reads. */
function begun(offers: readonly string[], word: string): string[] {
  const found = new Set<string>()
  for (const offer of offers) {
    if (offer.startsWith(word) && clean(offer) === offer) found.add(offer)
    if (found.size >= maxOffers) break
  }
  return [...found].sort()
}
