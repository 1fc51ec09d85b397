/** `funcs`: the functions of a program. */
import { funcs } from '../debug/commands/names.ts'
import { namesVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = namesVerb(funcs, [
  ["gocore-sink funcs 7f3k '^main\\.'", 'of package main'],
])
