/** `debug`: a debugger over a dump, in a terminal or in a pipe. */

import { limitOptions, lookOptions, settingsOf, type VerbArgs } from '../debug/verb.ts'
import type { Option } from '../define.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { Exit } from '../render/exit.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('debug')

const own: Readonly<Record<string, Option>> = {
  command: {
    type: 'string',
    alias: 'c',
    value: 'COMMAND',
    several: true,
    describe: 'run this command and leave',
  },
  tui: {
    type: 'boolean',
    describe:
      'source, variables, stack, goroutines and registers on one screen; as plain text without a terminal',
  },
  json: {
    type: 'boolean',
    describe: 'print each answer as a JSON object on a line of its own, see gocore-report(5)',
  },
  with: {
    type: 'string',
    value: 'DEBUGGER',
    describe: 'unpack the core and its executable, and start this debugger on them: dlv, gdb',
    choices: ['dlv', 'gdb'],
  },
}

export const builder = define({
  positionals: { dump: dumpPositional },
  options: { ...own, ...lookOptions, ...limitOptions },
  examples: [
    ['gocore-sink debug', 'look into the latest crash'],
    ['gocore-sink debug 7f3k -c "bt -full"', 'one command, and its answer alone'],
    ['gocore-sink debug ./core < commands.txt', 'commands of a file'],
    ['gocore-sink debug 7f3k --json -c bt -c locals', 'answers for a program'],
    ['gocore-sink debug --tui', 'everything at once'],
    ['gocore-sink debug 7f3k --with dlv', 'the same dump in Delve'],
  ],
})

interface Args extends VerbArgs {
  command?: string[]
  tui?: boolean
  with?: 'dlv' | 'gdb'
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  if (argv.with) {
    const { startOther } = await import('../debug/other-debugger.ts')
    process.exitCode = await startOther(target, argv.with)
    return
  }
  const { openState } = await import('../debug/open.ts')
  const { runDebugger } = await import('../debug/repl.ts')
  const state = await openState(target, { settings: settingsOf(argv), place: argv })
  const { endProgress } = await import('../render/progress.ts')
  endProgress()
  if (argv.tui) {
    const { printPanes, runScreen } = await import('../debug/tui/run.ts')
    return await (process.stdin.isTTY && process.stdout.isTTY ? runScreen(state) : printPanes(state))
  }
  state.json = argv.json === true
  if (!argv.command && !argv.json && process.stdin.isTTY && process.stdout.isTTY) {
    const { greet } = await import('../debug/greeting.ts')
    greet(state)
  }
  const sound = await runDebugger(state, argv.command ?? [])
  if (!sound) process.exitCode = Exit.failure
}
