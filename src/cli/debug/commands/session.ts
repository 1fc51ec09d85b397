/** `display`, `config`, `transcript`, `source`, `info`, `set`, `help` and `exit`: what is about the debugger itself. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { NotFoundError, UsageError } from '../../../base/errors.ts'
import { hasOwnLink } from '../../foreign-link.ts'
import { type InspectContext, parseAddress } from '../../inspect/context.ts'
import { registersJson } from '../../inspect/json.ts'
import { registerLines } from '../../inspect/registers.ts'
import { writeLines } from '../../render/output.ts'
import { type Answer, count, type DebugCommand, say, silence, splitFirst, wordsOf } from '../command.ts'
import { findTopic, topicNames } from '../info-topics.ts'
import { findCommand, runCommand } from '../run-command.ts'
import {
  changeSetting,
  type Settings,
  settingHelp,
  settingKey,
  settingKeys,
  settingName,
} from '../settings.ts'
import { keepSettings } from '../settings-file.ts'
import { clean, type DebugState } from '../state.ts'
import { commands } from '../table.ts'
import { lineAnswer } from './info-line.ts'
import { print } from './print.ts'

export const display: DebugCommand = {
  name: 'display',
  schema: 'gocore-display',
  aliases: ['disp'],
  usage: 'display [-a EXPRESSION | -d N]',
  describe: 'print an expression again wherever one looks from',
  complete: 'expression',
  async run(state, rest) {
    const [first, after] = splitFirst(rest)
    if (first === '-d') {
      const n = count(after, 'An expression on display')
      if (state.displays[n] === undefined) throw new UsageError(`No expression ${n} is on display.`)
      delete state.displays[n]
      return silence
    }
    if (rest === '') return displayed(state)
    const expression = first === '-a' ? after : rest
    if (expression === '') throw new UsageError('display -a takes an expression.')
    state.displays.push(expression)
    return displayed(state, state.displays.length - 1)
  },
}

/** All that are on display, or one of them; what has no value here says so. */
export async function displayed(state: DebugState, only?: number): Promise<Answer> {
  const lines: string[] = []
  const data: Record<string, unknown>[] = []
  for (const [n, expression] of state.displays.entries()) {
    if (expression === undefined || (only !== undefined && n !== only)) continue
    try {
      const answer = await print.run(state, expression)
      const [first, ...more] = [...answer.lines()]
      lines.push(`${n}: ${clean(expression)} = ${first}`, ...more)
      data.push({ number: n, ...answer.data?.() })
    } catch (error) {
      const { message } = error as Error
      lines.push(`${n}: ${clean(expression)} = (${clean(message)})`)
      data.push({ number: n, expression, error: message })
    }
  }
  return { lines: () => lines, data: () => ({ expressions: data }) }
}

export const config: DebugCommand = {
  name: 'config',
  schema: 'gocore-settings',
  usage: 'config [-list] [-save] [SETTING VALUE] [alias COMMAND ALIAS]',
  describe: 'show or change how much is shown, and what commands are called',
  details: ['-save   keeps the settings as they are for the next time, in ~/.config/gocore-sink/debug.json'],
  complete: 'setting',
  run(state, rest) {
    const [name, value] = splitFirst(rest)
    if (name === '' || name === '-list') return settingsAnswer(state.settings)
    if (name === '-save') {
      keepSettings(state.settings)
      return silence
    }
    if (name === 'alias') {
      const [command, alias] = wordsOf(value)
      if (command === undefined)
        return say(...[...state.aliases].map(([short, long]) => `${short} = ${long}`))
      if (alias === undefined) state.aliases.delete(command)
      else state.aliases.set(alias, findCommand(command).name)
      return silence
    }
    if (value === '') return settingsAnswer(state.settings, [settingKey(name)])
    state.settings = changeSetting(state.settings, name, value)
    return silence
  },
}

/** All settings, or some. */
export function settingsAnswer(settings: Settings, keys: readonly (keyof Settings)[] = settingKeys): Answer {
  return {
    lines: () =>
      keys.map(key => `${settingName(key).padEnd(24)}${String(settings[key]).padEnd(8)}${settingHelp[key]}`),
    data: () => ({ settings: Object.fromEntries(keys.map(key => [settingName(key), settings[key]])) }),
  }
}

export const transcript: DebugCommand = {
  name: 'transcript',
  usage: 'transcript [-t] [-x] FILE | transcript -off',
  describe: 'write what is printed into a file, too',
  details: [
    '-t   begin the file anew      -x   print nothing here meanwhile',
    'set logging on is the same as transcript gdb.txt.',
  ],
  complete: 'file',
  run(state, rest) {
    const words = wordsOf(rest)
    stopTranscript(state)
    if (words.includes('-off')) return silence
    const file = words.find(word => !word.startsWith('-'))
    if (file === undefined) throw new UsageError('transcript takes a file, or -off.')
    state.transcript = {
      fd: openTranscript(file, words.includes('-t')),
      alone: words.includes('-x'),
    }
    return silence
  },
}

/** One command with its answer, written at the end of a file as a transcript has it. */
export async function recorded(
  state: DebugState,
  line: string,
  { file, anew, quiet }: { file: string; anew: boolean; quiet: boolean },
): Promise<Answer> {
  const answer = await runCommand(state, line)
  const lines = [...answer.lines()]
  const fd = openTranscript(file, anew)
  try {
    writeLines(fd, [`> ${line}`, ...lines])
  } finally {
    closeSync(fd)
  }
  return { ...answer, lines: () => (quiet ? [] : lines) }
}

function openTranscript(file: string, anew: boolean): number {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW } = constants
  const links = hasOwnLink(file) ? 0 : O_NOFOLLOW
  return openSync(file, O_WRONLY | O_CREAT | (anew ? O_TRUNC : O_APPEND) | links, 0o600)
}

export function stopTranscript(state: DebugState): void {
  if (state.transcript) closeSync(state.transcript.fd)
  state.transcript = undefined
}

const maxNesting = 16
let nesting = 0

export const source: DebugCommand = {
  name: 'source',
  usage: 'source FILE',
  describe: 'run the commands of a file',
  complete: 'file',
  async run(state, rest) {
    const [file] = wordsOf(rest)
    if (file === undefined) throw new UsageError('source takes a file.')
    if (nesting >= maxNesting) throw new UsageError('Files of commands run each other too deeply.')
    const lines: string[] = []
    nesting++
    try {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        const answer = await runCommand(state, line)
        for (const each of state.guard(() => [...answer.lines()])) lines.push(each)
      }
    } finally {
      nesting--
    }
    return say(...lines)
  },
}

export const info: DebugCommand = {
  name: 'info',
  aliases: ['i'],
  usage: 'info TOPIC',
  describe: "GDB's info: registers, threads, locals, args, frame, line, symbol and others",
  complete: 'topic',
  async run(state, rest) {
    const [topic, after] = splitFirst(rest)
    const found = findTopic(topic)
    if (!found) throw new UsageError(`info takes ${topicNames.join(', ')}.`)
    const [name, command] = found
    if (command !== '') return runCommand(state, `${command} ${after}`)
    const context = await state.inspect()
    if (name === 'symbol') return symbolAnswer(context, after)
    if (name === 'line') return lineAnswer(context, after)
    const only = wordsOf(after)
    return {
      lines: () => registerLines(context, { all: false, style: 'gdb', ...(only.length > 0 ? { only } : {}) }),
      schema: 'gocore-registers',
      data: () => registersJson(context, false, only),
    }
  },
}

/** As GDB writes it: `main.main + 549`. */
function symbolAnswer(context: InspectContext, text: string): Answer {
  const addr = parseAddress(text, context)
  const found = context.code.symbolAt(addr)
  if (!found) throw new NotFoundError(`No symbol is at 0x${addr.toString(16)}.`)
  const offset = addr - found.start
  return {
    lines: () => [clean(offset === 0 ? found.name : `${found.name} + ${offset}`)],
    schema: 'gocore-symbol',
    data: () => ({ address: `0x${addr.toString(16)}`, symbol: found.name, offset }),
  }
}

export const set: DebugCommand = {
  name: 'set',
  usage: 'set logging on|off',
  describe: "GDB's way to write a transcript, gdb.txt",
  run(state, rest) {
    const words = wordsOf(rest)
    if (words[0] === 'logging') {
      const last = words.at(-1)
      if (last === 'on' || last === 'logging') return transcript.run(state, 'gdb.txt')
      if (last === 'off') return transcript.run(state, '-off')
    }
    // What GDB's users have in their fingers, and what has no meaning here.
    if (['pagination', 'confirm', 'height', 'width'].includes(words[0] ?? '')) return silence
    throw new UsageError(
      'Nothing can be changed in a program that is dead; set logging on writes a transcript.',
    )
  },
}

export const help: DebugCommand = {
  name: 'help',
  aliases: ['h'],
  usage: 'help [COMMAND]',
  describe: 'tell what there is',
  complete: 'command',
  run(_state, rest) {
    if (rest !== '') return say(...helpOf(findCommand(rest)))
    const rows = commands().map(
      command => [[command.name, ...(command.aliases ?? [])].join(' '), command.describe] as const,
    )
    const width = Math.max(...rows.map(([names]) => names.length)) + 2
    return say(
      ...rows.map(([names, describe]) => `${names.padEnd(width)}${describe}`),
      '',
      'help COMMAND tells more; a name may be cut to a beginning that is clear.',
      'gocore-expr(7) has the expressions.',
    )
  },
}

export function helpOf(command: DebugCommand): string[] {
  const { usage, describe, details = [], aliases = [] } = command
  return [
    usage,
    '',
    `${describe.charAt(0).toUpperCase()}${describe.slice(1)}.`,
    ...details,
    ...(aliases.length > 0 ? ['', `Also: ${aliases.join(', ')}`] : []),
  ]
}

export const exit: DebugCommand = {
  name: 'exit',
  aliases: ['quit', 'q'],
  usage: 'exit',
  describe: 'leave the debugger',
  run(state) {
    state.done = true
    return silence
  },
}
