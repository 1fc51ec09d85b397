/** `display`, `config`, `transcript`, `source`, `info`, `set`, `help` and `exit`: what is about the debugger itself. */
import { closeSync, openSync, readFileSync } from 'node:fs'
import { UsageError } from '../../../base/errors.ts'
import { registerLines } from '../../inspect/registers.ts'
import { type Answer, count, type DebugCommand, say, silence, splitFirst, wordsOf } from '../command.ts'
import { findCommand, runCommand } from '../run-command.ts'
import { changeSetting, settingHelp, settingKeys, settingName } from '../settings.ts'
import { clean, type DebugState } from '../state.ts'
import { commands } from '../table.ts'
import { print } from './print.ts'

export const display: DebugCommand = {
  name: 'display',
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
  for (const [n, expression] of state.displays.entries()) {
    if (expression === undefined || (only !== undefined && n !== only)) continue
    try {
      const [first, ...more] = [...(await print.run(state, expression)).lines()]
      lines.push(`${n}: ${clean(expression)} = ${first}`, ...more)
    } catch (error) {
      lines.push(`${n}: ${clean(expression)} = (${clean((error as Error).message)})`)
    }
  }
  return say(...lines)
}

export const config: DebugCommand = {
  name: 'config',
  usage: 'config [-list] [SETTING VALUE] [alias COMMAND ALIAS]',
  describe: 'show or change how much is shown, and what commands are called',
  complete: 'setting',
  run(state, rest) {
    const [name, value] = splitFirst(rest)
    if (name === '' || name === '-list')
      return say(
        ...settingKeys.map(
          key => `${settingName(key).padEnd(24)}${String(state.settings[key]).padEnd(8)}${settingHelp[key]}`,
        ),
      )
    if (name === 'alias') {
      const [command, alias] = wordsOf(value)
      if (command === undefined)
        return say(...[...state.aliases].map(([short, long]) => `${short} = ${long}`))
      if (alias === undefined) state.aliases.delete(command)
      else state.aliases.set(alias, findCommand(command).name)
      return silence
    }
    if (value === '') throw new UsageError(`config ${name} lacks its value.`)
    state.settings = changeSetting(state.settings, name, value)
    return silence
  },
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
      fd: openSync(file, words.includes('-t') ? 'w' : 'a', 0o600),
      alone: words.includes('-x'),
    }
    return silence
  },
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
      for (const line of readFileSync(file, 'utf8').split('\n'))
        lines.push(...(await runCommand(state, line)).lines())
    } finally {
      nesting--
    }
    return say(...lines)
  },
}

/** GDB's `info`, by the first letters of what it tells. */
const infos: readonly (readonly [topic: string, command: string])[] = [
  ['args', 'args'],
  ['frame', 'frame'],
  ['functions', 'funcs'],
  ['goroutines', 'goroutines'],
  ['line', 'list'],
  ['locals', 'locals -v'],
  ['packages', 'packages'],
  ['registers', ''],
  ['sharedlibrary', 'libraries'],
  ['source', 'list'],
  ['sources', 'sources'],
  ['stack', 'bt'],
  ['symbol', 'x/a'],
  ['threads', 'threads'],
  ['types', 'types'],
  ['variables', 'vars'],
]

export const info: DebugCommand = {
  name: 'info',
  aliases: ['i'],
  usage: 'info TOPIC',
  describe:
    "GDB's info: registers, threads, goroutines, locals, args, frame, functions, variables, types, sources and others",
  async run(state, rest) {
    const [topic, after] = splitFirst(rest)
    const found =
      topic === ''
        ? undefined
        : (infos.find(([name]) => name === topic) ?? infos.find(([name]) => name.startsWith(topic)))
    if (!found) throw new UsageError(`info takes ${infos.map(([name]) => name).join(', ')}.`)
    const [name, command] = found
    if (name !== 'registers') return runCommand(state, `${command} ${after}`)
    const context = await state.inspect()
    const only = wordsOf(after)
    return {
      lines: () => registerLines(context, { all: false, style: 'gdb', ...(only.length > 0 ? { only } : {}) }),
    }
  },
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
      'help COMMAND tells more; a name may be cut to a beginning that is clear. gocore-expr(7) has the expressions.',
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
