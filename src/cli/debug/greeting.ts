/** What one sees first: what died and why, where one looks from, and how to go on. */
import { fromDump } from '../render/escape.ts'
import { writeLines } from '../render/output.ts'
import { palette } from '../render/style.ts'
import { whereAnswer } from './commands/position.ts'
import type { DebugState } from './state.ts'

export function greet(state: DebugState): void {
  const { bold, dim } = palette(state.look)
  const { death, goroutineCount } = fromDump(state.debugger.process.report(1))
  writeLines(1, [
    bold(death.message.split('\n')[0] ?? ''),
    ...death.verdict.split('\n'),
    dim(`${goroutineCount} goroutines. help lists the commands, exit leaves.`),
    ...whereAnswer(state).lines(),
  ])
}
