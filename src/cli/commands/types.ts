/** `types`: the types of a program. */
import { types } from '../debug/commands/names.ts'
import { namesVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = namesVerb(types, [
  ["gocore-sink types 7f3k '^main\\.'", 'of package main'],
])
