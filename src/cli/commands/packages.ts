/** `packages`: the Go packages that have code in a program. */
import { matchVerb } from '../inspect/match-verb.ts'
import { packages } from '../inspect/names.ts'

export const { command, describe, builder, handler } = matchVerb('packages', packages)
