/** All commands of the debugger, in the order in which `help` lists them. */
import type { DebugCommand } from './command.ts'
import * as code from './commands/code.ts'
import { goroutines } from './commands/goroutines.ts'
import * as names from './commands/names.ts'
import * as position from './commands/position.ts'
import * as values from './commands/print.ts'
import * as session from './commands/session.ts'
import { stack } from './commands/stack.ts'
import { threads } from './commands/threads.ts'
import * as variables from './commands/variables.ts'

let all: readonly DebugCommand[] | undefined

/** A function, because commands run each other. */
export function commands(): readonly DebugCommand[] {
  all ??= [
    stack,
    position.frame,
    position.up,
    position.down,
    position.goroutine,
    goroutines,
    position.thread,
    threads,
    position.deferred,
    values.print,
    values.whatis,
    session.display,
    variables.locals,
    variables.args,
    variables.vars,
    names.types,
    names.funcs,
    names.packages,
    code.sources,
    code.libraries,
    code.list,
    code.disassemble,
    code.examine,
    code.regs,
    session.info,
    session.config,
    session.transcript,
    session.source,
    session.set,
    session.help,
    session.exit,
  ]
  return all
}
