/**
 * `gocore-sink run -- CMD ARGS`: the program runs as it would without us, save that a death of it leaves a core and is
 * explained. Standard streams are the program's own, signals go through, and we end as it did.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import type { ArchiveStore } from '../archive/store.ts'
import { NotFoundError, reasonOf, SystemError } from '../base/errors.ts'
import { withCoreLimit } from './crash-program.ts'
import { linesAbout, markKernelLog } from './kernel-log.ts'
import { describePattern, readCorePattern } from './pattern.ts'
import type { Say } from './step.ts'
import { awaitDump, awaitDumpInHand, runningHandlers } from './watch.ts'

export interface RunOptions {
  /** Opens the archive that the handler of this machine writes, when there is something to look for; may throw. */
  openStore: () => ArchiveStore
  command: readonly string[]
  /** Prints the explanation of a dump. */
  show: (id: string) => Promise<void>
  /** How long to wait for the dump; default 60 s. */
  timeoutMs?: number
}

export type RunOutcome = { readonly code: number } | { readonly signal: NodeJS.Signals }

/** Signals whose default is a core dump, signal(7). */
const dumping: ReadonlySet<string> = new Set([
  ...[
    'SIGABRT',
    'SIGBUS',
    'SIGFPE',
    'SIGILL',
    'SIGQUIT',
    'SIGSEGV',
    'SIGSYS',
    'SIGTRAP',
    'SIGXCPU',
    'SIGXFSZ',
  ],
])

/** By it the dumps of the program and of what it starts are known; the configuration's Environ lets it through. */
const runVariable = 'GOCORE_SINK_RUN'

/** What a supervisor or another terminal may send us, and means for the program. */
const forwarded = [
  'SIGTERM',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
  'SIGINT',
  'SIGQUIT',
] as const

/** Runs the program and explains its death. `say` gets our own few lines; the caller prints them on standard error. */
export async function runProgram(options: RunOptions, say: Say): Promise<RunOutcome> {
  const warning = whyNothingArrives()
  if (warning !== undefined) say(`${warning}; a crash of ${options.command[0]} will not be recorded`)
  const since = new Date()
  const mark = markKernelLog()
  const before = new Set(runningHandlers())
  const token = randomBytes(8).toString('hex')
  const { pid, outcome } = await untilItsEnd(() =>
    spawn('/bin/sh', ['-c', withCoreLimit, 'sh', ...options.command], {
      stdio: 'inherit',
      env: programEnvironment(token),
    }),
  )
  if (warning !== undefined || ('code' in outcome && outcome.code === 0)) return outcome
  const wanted = { pid, since, variable: runVariable, token }
  const timeout = options.timeoutMs ?? 60_000
  const died = 'signal' in outcome && dumping.has(outcome.signal)
  const sayWhy = (error: unknown): void => say(`Could not explain the crash: ${reasonOf(error)}`)
  let store: ArchiveStore
  try {
    store = options.openStore()
  } catch (error) {
    // Whoever may not read the archive is not told so at each failure of a program.
    if (died) sayWhy(error)
    return outcome
  }
  try {
    // One that merely failed may have had a child that crashed: `go run` ends with 1 then.
    const dump = died ? await awaitDump(store, wanted, timeout) : await awaitDumpInHand(store, wanted, before)
    if (dump !== undefined) await options.show(dump.id)
    else if (died) say(noDump(store, pid, linesAbout(mark, pid)))
  } catch (error) {
    // The program's end is what counts, whatever becomes of the explanation.
    sayWhy(error)
  }
  return outcome
}

/** GOTRACEBACK as it is needed, the rest as it was; what the launcher set for us is not the program's. */
function programEnvironment(token: string): NodeJS.ProcessEnv {
  const { GOCORE_SINK_CONFIG: _config, ...rest } = process.env
  return { ...rest, GOTRACEBACK: 'crash', [runVariable]: token }
}

function whyNothingArrives(): string | undefined {
  try {
    const pattern = readCorePattern()
    const { owner } = describePattern(pattern)
    if (owner === 'gocore-sink') return undefined
    return `core_pattern is ${JSON.stringify(pattern)}: dumps go to ${owner}; root can change that with "gocore-sink install"`
  } catch (error) {
    return `Cannot read core_pattern: ${reasonOf(error)}`
  }
}

const noDump = ({ root }: ArchiveStore, pid: number, said: readonly string[]): string =>
  `No dump of process ${pid} came into ${root}${said.length > 0 ? `; the kernel log says: ${said.join(' | ')}` : ''}; "gocore-sink doctor" may know why`

/** Starts the program and waits for its end; what we are sent goes to it. We listen first: it may be quick to say that it runs. */
async function untilItsEnd(start: () => ChildProcess): Promise<{ pid: number; outcome: RunOutcome }> {
  let started: ChildProcess | undefined
  const handlers = forwarded.map(signal => {
    // What a terminal's keys send reaches the whole foreground group, the program too: a second one would be too many.
    const byKeys =
      signal === 'SIGINT' || signal === 'SIGQUIT' || signal === 'SIGWINCH' || signal === 'SIGCONT'
    const handler = (): void => {
      if (!(byKeys && process.stdin.isTTY)) started?.kill(signal)
    }
    process.on(signal, handler)
    return [signal, handler] as const
  })
  try {
    const child = start()
    started = child
    const outcome = await new Promise<RunOutcome>((resolve, reject) => {
      child.once('error', error =>
        reject(new SystemError(`Cannot run a shell: ${reasonOf(error)}`, { cause: error })),
      )
      child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }))
    })
    return { pid: child.pid!, outcome }
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/**
 * Ends this process as the program ended: by the same code, or by the same signal. One that dumps core is answered by
 * 128 + its number, as shells do: dying of it would put a dump of ourselves beside the program's.
 */
export function endAs(outcome: RunOutcome): never {
  if ('code' in outcome) process.exit(outcome.code)
  const number = constants.signals[outcome.signal]
  if (number === undefined) throw new NotFoundError(`There is no signal ${outcome.signal}`)
  if (!dumping.has(outcome.signal)) {
    process.removeAllListeners(outcome.signal)
    process.kill(process.pid, outcome.signal)
  }
  process.exit(128 + number)
}
