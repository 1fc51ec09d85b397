/**
 * The table of verbs: the help, the man pages and the completion are made from it. A verb's own file is loaded only
 * when the verb is used, so that `ls` doesn't pay for `install`.
 */
import type { Builder } from './define.ts'

export interface Verb {
  /** As yargs wants it: the name and its positionals. */
  readonly command: string
  readonly describe: string
  /** What Delve's and GDB's users type for it. */
  readonly aliases?: readonly string[]
  readonly group: 'Look' | 'Debug' | 'Keep' | 'Set up'
  readonly load: () => Promise<VerbModule>
}

export interface VerbModule {
  readonly command: string
  readonly describe: string
  readonly builder: Builder
  /** Puts the words behind the verb in the order that yargs can read. */
  prepare?(args: readonly string[]): string[]
  handler(argv: never): Promise<void>
}

export const verbs: readonly Verb[] = [
  {
    command: 'ls',
    describe: 'list crashes, newest first',
    group: 'Look',
    load: () => import('./commands/ls.ts'),
  },
  {
    command: 'show [dump]',
    describe: 'explain a crash: why, what, where, and what everything else was doing',
    group: 'Look',
    load: () => import('./commands/show.ts'),
  },
  {
    command: 'info [topic] [dump] [words..]',
    describe: 'print every recorded fact of a crash: process, host, build, storage',
    group: 'Look',
    load: () => import('./commands/info.ts'),
  },
  {
    command: 'bt [dump]',
    describe: "print the stack of the goroutine that crashed, in the runtime's own format",
    aliases: ['stack', 'backtrace', 'where'],
    group: 'Look',
    load: () => import('./commands/bt.ts'),
  },
  {
    command: 'goroutines [dump]',
    describe: 'list the goroutines, grouped by equal stacks, filtered, or one by one',
    aliases: ['grs'],
    group: 'Look',
    load: () => import('./commands/goroutines.ts'),
  },
  {
    command: 'threads [dump]',
    describe: 'print the threads and their g0, signal and C stacks',
    group: 'Look',
    load: () => import('./commands/threads.ts'),
  },
  {
    command: 'search <words..>',
    describe: 'find crashes by words in their messages and frames',
    group: 'Look',
    load: () => import('./commands/search.ts'),
  },
  {
    command: 'top',
    describe: 'group crashes that are alike, most frequent first',
    group: 'Look',
    load: () => import('./commands/top.ts'),
  },
  {
    command: 'debug [dump]',
    describe: 'look into a crash with a debugger: stacks, variables, expressions, source, code',
    group: 'Debug',
    load: () => import('./commands/debug.ts'),
  },
  {
    command: 'goroutine <number> [dump] [command..]',
    describe: 'print the stack of one goroutine, or run a command of debug there',
    aliases: ['gr'],
    group: 'Debug',
    load: () => import('./commands/goroutine.ts'),
  },
  {
    command: 'thread <number> [dump] [command..]',
    describe: 'print the stack of one thread, or run a command of debug there',
    aliases: ['tr'],
    group: 'Debug',
    load: () => import('./commands/thread.ts'),
  },
  {
    command: 'frame <number> [dump] [command..]',
    describe: 'print a frame, its source and variables, or run a command of debug there',
    aliases: ['f'],
    group: 'Debug',
    load: () => import('./commands/frame.ts'),
  },
  {
    command: 'up [number] [dump] [command..]',
    describe: 'print the frame that called the one that crashed, or look from it',
    group: 'Debug',
    load: () => import('./commands/up.ts'),
  },
  {
    command: 'down [number] [dump] [command..]',
    describe: 'print the frame that the one that crashed called, or look from it',
    group: 'Debug',
    load: () => import('./commands/down.ts'),
  },
  {
    command: 'print <dump> [expression..]',
    describe: 'print the value of a variable or an expression',
    aliases: ['p', 'inspect'],
    group: 'Debug',
    load: () => import('./commands/print.ts'),
  },
  {
    command: 'whatis <dump> [expression..]',
    describe: 'print the type of an expression, or what a type consists of',
    aliases: ['ptype'],
    group: 'Debug',
    load: () => import('./commands/whatis.ts'),
  },
  {
    command: 'display <dump> [expressions..]',
    describe: 'print the values of several expressions',
    group: 'Debug',
    load: () => import('./commands/display.ts'),
  },
  {
    command: 'locals [dump] [regex]',
    describe: 'print the local variables of a frame',
    group: 'Debug',
    load: () => import('./commands/locals.ts'),
  },
  {
    command: 'args [dump] [regex]',
    describe: "print the arguments and results of a frame's function",
    group: 'Debug',
    load: () => import('./commands/args.ts'),
  },
  {
    command: 'vars [dump] [regex]',
    describe: 'print package variables',
    group: 'Debug',
    load: () => import('./commands/vars.ts'),
  },
  {
    command: 'types [dump] [regex]',
    describe: 'list the types of a program',
    group: 'Debug',
    load: () => import('./commands/types.ts'),
  },
  {
    command: 'funcs [dump] [regex]',
    describe: 'list the functions of a program',
    group: 'Debug',
    load: () => import('./commands/funcs.ts'),
  },
  {
    command: 'deferred [number] [dump] [command..]',
    describe: 'list the calls that a goroutine had deferred, or look from one',
    group: 'Debug',
    load: () => import('./commands/deferred.ts'),
  },
  {
    command: 'disass [dump] [place]',
    describe: 'print machine code with its source lines, and why an instruction faulted',
    aliases: ['disassemble'],
    group: 'Debug',
    load: () => import('./commands/disass.ts'),
  },
  {
    command: 'regs [dump]',
    describe: 'print the registers of a frame or a thread',
    aliases: ['registers'],
    group: 'Debug',
    load: () => import('./commands/regs.ts'),
  },
  {
    command: 'x <address> [dump]',
    describe: 'print memory as numbers, text or instructions',
    aliases: ['examinemem'],
    group: 'Debug',
    load: () => import('./commands/x.ts'),
  },
  {
    command: 'list [dump] [place]',
    describe: 'print source lines around a place',
    aliases: ['l'],
    group: 'Debug',
    load: () => import('./commands/list.ts'),
  },
  {
    command: 'sources [dump] [regex]',
    describe: 'print the source files that a program was compiled from',
    group: 'Debug',
    load: () => import('./commands/sources.ts'),
  },
  {
    command: 'packages [dump] [regex]',
    describe: 'print the Go packages that a program is made of',
    group: 'Debug',
    load: () => import('./commands/packages.ts'),
  },
  {
    command: 'libraries [dump]',
    describe: 'print the shared libraries of a process',
    group: 'Debug',
    load: () => import('./commands/libraries.ts'),
  },
  {
    command: 'transcript <file> [dump] [command..]',
    describe: 'run a command of debug, and write its answer into a file too',
    group: 'Debug',
    load: () => import('./commands/transcript.ts'),
  },
  {
    command: 'config [setting] [value]',
    describe: 'show or change how much debug, print and others show',
    group: 'Debug',
    load: () => import('./commands/config.ts'),
  },
  {
    command: 'export [dump]',
    describe: 'unpack a core, its executable, or a bundle of everything',
    group: 'Keep',
    load: () => import('./commands/export.ts'),
  },
  {
    command: 'import <files..>',
    describe: 'take core files of other tools into the archive',
    group: 'Keep',
    load: () => import('./commands/import.ts'),
  },
  {
    command: 'rm <dumps..>',
    describe: 'remove dumps from the archive',
    group: 'Keep',
    load: () => import('./commands/rm.ts'),
  },
  {
    command: 'pin [dump]',
    describe: 'keep a dump whatever the retention rules say',
    group: 'Keep',
    load: () => import('./commands/pin.ts'),
  },
  {
    command: 'unpin [dump]',
    describe: 'leave a pinned dump to the retention rules again',
    group: 'Keep',
    load: () => import('./commands/unpin.ts'),
  },
  {
    command: 'hold <dumps..>',
    describe: 'put dumps on legal hold: nobody removes or shrinks them until it is lifted',
    group: 'Keep',
    load: () => import('./commands/hold.ts'),
  },
  {
    command: 'unhold <dumps..>',
    describe: 'lift the hold on dumps',
    group: 'Keep',
    load: () => import('./commands/unhold.ts'),
  },
  {
    command: 'shrink <dumps..>',
    describe: 'make mini-cores of dumps: stacks and what the report was made of, without the heap',
    group: 'Keep',
    load: () => import('./commands/shrink.ts'),
  },
  {
    command: 'gc',
    describe: 'apply the retention rules now',
    group: 'Keep',
    load: () => import('./commands/gc.ts'),
  },
  {
    command: 'reindex',
    describe: 'rebuild the catalog from the archive',
    group: 'Keep',
    load: () => import('./commands/reindex.ts'),
  },
  {
    command: 'verify [dumps..]',
    describe: 'check what is stored: checksums, sizes, binaries, reports',
    group: 'Keep',
    load: () => import('./commands/verify.ts'),
  },
  {
    command: 'daemon',
    describe: 'analyse new dumps as they come, keep the catalog and apply retention',
    group: 'Set up',
    load: () => import('./commands/daemon.ts'),
  },
  {
    command: 'install',
    describe: 'install the recorder on this machine',
    group: 'Set up',
    load: () => import('./commands/install.ts'),
  },
  {
    command: 'uninstall',
    describe: 'remove the recorder and restore what was before',
    group: 'Set up',
    load: () => import('./commands/uninstall.ts'),
  },
  {
    command: 'doctor [process]',
    describe: 'explain what keeps dumps from arriving or being useful, with the remedy',
    group: 'Set up',
    load: () => import('./commands/doctor.ts'),
  },
  {
    command: 'test-crash',
    describe: 'crash a tiny program for real and follow its dump to the catalog',
    group: 'Set up',
    load: () => import('./commands/test-crash.ts'),
  },
  {
    command: 'run [command..]',
    describe: 'run a program and explain its crash when it dies',
    group: 'Set up',
    load: () => import('./commands/run.ts'),
  },
  {
    command: 'completion <shell>',
    describe: 'print the completion script for bash, zsh or fish',
    group: 'Set up',
    load: () => import('./commands/completion.ts'),
  },
]

export const nameOf = (verb: { command: string }): string => verb.command.split(' ')[0]!

/** The entry that a verb's file takes its `command` and `describe` from. */
export function entry(name: string): { command: string; describe: string } {
  const found = verbs.find(verb => nameOf(verb) === name)
  if (!found) throw new Error(`${name} is not in the table of verbs`)
  return found
}
