/**
 * Commands of the debugger as verbs of the command line: the same row runs in both, here once, from the place that the
 * options name, with its answer alone on standard output.
 */
import { UsageError } from '../../base/errors.ts'
import type { Option } from '../define.ts'
import { wholeNumber } from '../define.ts'
import { isPath } from '../dump-or-word.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import { binaryOptions, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import type { Answer } from './command.ts'
import type { Settings } from './settings.ts'
import type { DebugState } from './state.ts'

export interface VerbArgs extends TargetArgs, JsonArgs, PlaceArgs {
  depth?: number
  length?: number
  text?: number
  fields?: number
  raw?: boolean
}

const group = 'How much'

/** How much of a value is shown. */
export const limitOptions: Readonly<Record<string, Option>> = {
  depth: {
    type: 'string',
    value: 'N',
    describe: 'structures within structures that are opened; 1 without it',
    parse: wholeNumber,
    group,
  },
  length: {
    type: 'string',
    value: 'N',
    describe: 'elements of an array, slice, map or channel; 64 without it',
    parse: wholeNumber,
    group,
  },
  text: {
    type: 'string',
    value: 'N',
    describe: 'bytes of a text; 64 without it',
    parse: wholeNumber,
    group,
  },
  fields: {
    type: 'string',
    value: 'N',
    describe: 'fields of a struct; all without it',
    parse: wholeNumber,
    group,
  },
  raw: {
    type: 'boolean',
    describe: 'values as their bytes are, without a glance at times, locks and errors',
    group,
  },
}

/** What all verbs take that look from a frame. */
export const lookOptions: Readonly<Record<string, Option>> = { ...binaryOptions, ...placeOptions }
export { binaryOptions, jsonOption }

/** Opens the dump, runs what is asked for in it, and prints the answer. */
export async function answerVerb(
  argv: VerbArgs,
  schema: string,
  ask: (state: DebugState) => Answer | Promise<Answer>,
): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openState } = await import('./open.ts')
  const state = await openState(target, { settings: settingsOf(argv), place: argv })
  const answer = await ask(state)
  if (!argv.json) return await page(answer.lines(), { pager: !argv.noPager })
  writeLines(1, jsonObject(answerJson(answer, schema, target.id)))
}

/** An answer as a document of gocore-report(5). Throws UsageError where it is for people alone. */
export function answerJson(answer: Answer, schema: string, id: string | undefined): Record<string, unknown> {
  if (!answer.data) throw new UsageError('This has no form for programs.')
  return { schema: answer.schema ?? schema, version: 1, id, ...answer.data() }
}

/** The same with a command as the debugger takes it. */
export async function answerCommand(argv: VerbArgs, line: string): Promise<void> {
  const { runCommand } = await import('./run-command.ts')
  await answerVerb(argv, 'gocore-answer', state => runCommand(state, line))
}

export function settingsOf({ depth, length, text, fields, raw }: VerbArgs): Partial<Settings> {
  return {
    ...(depth === undefined ? {} : { maxVariableRecurse: depth }),
    ...(length === undefined ? {} : { maxArrayValues: length }),
    ...(text === undefined ? {} : { maxStringLen: text }),
    ...(fields === undefined ? {} : { maxStructFields: fields }),
    ...(raw ? { raw } : {}),
  }
}

/** `DUMP WORDS…` where the dump may be left out: a lone word is not one. */
export function dumpAndWords(
  verb: string,
  dump: string,
  words: readonly string[] | undefined,
): [dump: string | undefined, text: string] {
  if (words !== undefined && words.length > 0) return [dump, words.join(' ')]
  if (isPath(dump)) throw new UsageError(`${verb} takes an expression behind ${dump}.`)
  return [undefined, dump]
}
