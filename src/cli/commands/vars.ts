/** `vars`: package variables, and global ones of C. */
import { vars } from '../debug/commands/variables.ts'
import { variablesVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = variablesVerb(vars, [
  ["gocore-sink vars 7f3k '^main\\.'", 'of package main'],
  ['gocore-sink vars ./core --json', 'all of them, for programs'],
])
