/** `sources`: the source files that a program was compiled from. */
import { matchVerb } from '../inspect/match-verb.ts'
import { sourceFiles } from '../inspect/names.ts'

export const { command, describe, builder, handler } = matchVerb('sources', sourceFiles)
