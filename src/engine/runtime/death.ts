/**
 * How a Go program died. The signal that made the core is mostly not the cause: under GOTRACEBACK=crash the runtime
 * kills itself with SIGABRT when it is done with printing, and before that it may have passed a SIGQUIT from thread to
 * thread (signal_unix.go sighandler; golang/go#63277: up to Go 1.22 the thread that dies last is not the one that was
 * hit). So the machine that entered startpanic_m is looked for, and on its stacks the way in which it came there.
 */
import { MemoryFault } from '../../base/errors.ts'
import { utf8 } from '../bytes/cursor.ts'
import type { Siginfo } from '../core/siginfo.ts'
import { TypeReader } from '../value/rtype.ts'
import { readStringAt } from '../value/scalar.ts'
import { printBacklog } from './death-printed.ts'
import { isSent, Signal, signalText } from './death-signals.ts'
import { type DeathStack, readDeathStack } from './death-stack.ts'
import type { Goroutine } from './goroutine.ts'
import { type Panic, readPanics } from './panic-chain.ts'
import { fatalMessage } from './print-backlog.ts'
import type { Runtime } from './runtime.ts'
import { type GoThread, within } from './thread.ts'

export interface GoDeath {
  readonly kind: 'panic' | 'fatal' | 'signal' | 'unknown'
  /** The first line as the runtime prints it. */
  readonly message: string
  /** The lines with which the runtime's own report begins, as far as the core tells them. */
  readonly lines: readonly string[]
  readonly thread: GoThread | undefined
  readonly goroutine: Goroutine | undefined
  readonly stack: DeathStack
  /** Oldest first; also those that are still being deferred for in a process that died of something else. */
  readonly panics: readonly Panic[]
  /** The signal that began it: for panics and throws the fault behind them, if one is. */
  readonly signal?: Siginfo
  /** Where the signal arrived. */
  readonly pc?: number
  /** What the program and the runtime printed before the end, as far as the core has it; looked for when asked for. */
  printed(): string | undefined
}

const maxThrowText = 4096
const maxThrowers = 16

export function readGoDeath(runtime: Runtime, types: TypeReader): GoDeath {
  const thread = guiltyThread(runtime)
  const stack = readDeathStack(runtime, thread)
  const goroutine = guiltyGoroutine(runtime, thread)
  let backlog: { readonly text: string | undefined } | undefined
  const printed = (): string | undefined => {
    backlog ??= { text: printBacklog(runtime) }
    return backlog.text
  }
  const panics = goroutine ? panicsOf(runtime, types, goroutine) : []
  const common = { thread, goroutine, stack, panics, printed }
  const dying = dyingGoroutine(runtime, thread, stack) ?? goroutine
  const fault = dying && readFault(dying)

  if (stack.dying === 'panic') {
    const lines = panics.flatMap(({ line }) => (line === undefined ? [] : line.split('\n')))
    if (fault) lines.push(fault.line)
    const message = lines[0] ?? 'panic: (unreadable)'
    return { ...common, kind: 'panic', message, lines, ...(stack.sigpanic && fault ? fault.facts : {}) }
  }
  if (stack.dying === 'fatal') {
    const text = thrownText(runtime, stack)
    const said = printed()
    const fromBacklog = said === undefined ? undefined : fatalMessage(said)
    const lines =
      (fromBacklog ?? (text === undefined ? undefined : `fatal error: ${text}`))?.split('\n') ?? []
    const known = lines.filter(line => line.startsWith('fatal error: ')).length
    lines.push(...repeatedThrows(runtime, thread, lines[0]).slice(Math.max(0, known - 1)))
    if (fault) lines.push(fault.line)
    const message = lines[0] ?? 'fatal error: (unreadable)'
    return { ...common, kind: 'fatal', message, lines, ...(stack.sigpanic && fault ? fault.facts : {}) }
  }
  const context = thread?.contexts.findLast(({ siginfo }) => siginfo !== undefined)
  const signal = context?.siginfo ?? runtime.image.core.siginfo
  if (!signal || signal.signo === 0 || isOwnAbort(runtime, signal, context?.position.pc))
    return { ...common, kind: 'unknown', message: '', lines: [] }
  const message = signalText(signal.signo)
  const position = (context ?? thread?.contexts.at(-1))?.position
  return {
    ...common,
    kind: 'signal',
    message,
    // A signal that no handler of the runtime's took, on a thread of C, is not printed.
    lines: stack.dying === 'signal' ? [message] : [],
    signal,
    ...(position ? { pc: position.pc } : {}),
  }
}

/**
 * The runtime's last act after a panic, a throw or a signal is to send itself SIGABRT: where nothing else of the way
 * there can be read, as in a core that was cut, that alone does not tell which.
 */
function isOwnAbort(
  { image, symtab }: Runtime,
  { signo, code, pid }: Siginfo,
  pc: number | undefined,
): boolean {
  if (signo !== Signal.abrt || !isSent(code) || pid !== image.core.psinfo?.pid) return false
  if (pc === undefined) return !image.core.complete
  const name = symtab.findFunc(pc)?.name
  return name === 'runtime.raise' || name === 'runtime.tgkill'
}

/**
 * The thread whose machine began to die. Where several did, the first printed its goroutine and then waits in
 * dopanic_m for the last, which ends the process: the first is the one that is reported. Without a dying machine it is
 * the thread that made the core.
 */
function guiltyThread(runtime: Runtime): GoThread | undefined {
  const { threads } = runtime
  const crashed = threads.find(({ thread }) => thread.crashed)
  const dying = threads.filter(({ machine }) => machine !== undefined && machine.dying > 0)
  if (dying.length <= 1) return dying[0] ?? crashed
  const first = dying
    .slice(0, maxThrowers)
    .find(thread => thread !== crashed && waitsForOthers(readDeathStack(runtime, thread)))
  return first ?? dying.find(({ thread }) => thread.crashed) ?? dying[0]
}

/** In dopanic_m's own call of lock, on a lock that is never released. */
function waitsForOthers({ frames }: DeathStack): boolean {
  const at = frames.findIndex(({ func }) => func.name === 'runtime.dopanic_m')
  return at > 0 && /^runtime\.lock/.test(frames[at - 1]!.func.name)
}

function guiltyGoroutine(runtime: Runtime, thread: GoThread | undefined): Goroutine | undefined {
  const curg = thread?.machine?.curg ?? 0
  if (curg === 0) return undefined
  const g = runtime.goroutineAt(curg)
  try {
    // The spare g of a thread that C made is on no list, and runs nothing of the program's.
    return g.id > 0 && !g.isDead ? g : undefined
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/** The g that runtime.fatalthrow or fatalpanic ran on: g0 where C or runtime code was hit, and its `sig` is printed. */
function dyingGoroutine(
  runtime: Runtime,
  thread: GoThread | undefined,
  { frames }: DeathStack,
): Goroutine | undefined {
  const frame = frames.find(({ func }) => func.role === 'fatalpanic' || func.role === 'fatalthrow')
  if (!frame || !thread?.machine) return undefined
  const g0 = runtime.goroutineAt(thread.machine.g0)
  try {
    return within(frame.sp, g0.stack) ? g0 : undefined
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/** The panics of any goroutine, oldest first. */
export function panicsOf(runtime: Runtime, types: TypeReader, g: Goroutine): readonly Panic[] {
  const { layout, context } = runtime
  try {
    const fields = {
      arg: layout.at('_panic.arg'),
      link: layout.at('_panic.link'),
      recovered: layout.at('_panic.recovered'),
      goexit: layout.at('_panic.goexit'),
      repanicked: layout.find('_panic.repanicked'),
    }
    return readPanics(types, g.field('_panic') ?? 0, fields, context.goMinor).panics
  } catch (error) {
    if (error instanceof MemoryFault) return []
    throw error
  }
}

/** What sighandler left in g before it let the goroutine panic; dopanic_m prints it as `[signal …]`. */
function readFault(g: Goroutine): { line: string; facts: { signal: Siginfo; pc: number } } | undefined {
  try {
    const signo = Number(BigInt.asUintN(32, g.wideField('sig')))
    if (signo === 0) return undefined
    const [code, addr, pc] = [g.wideField('sigcode0'), g.wideField('sigcode1'), g.field('sigpc') ?? 0]
    const hex = (value: bigint | number): string => `0x${value.toString(16)}`
    return {
      line: `[signal ${signalText(signo)} code=${hex(code)} addr=${hex(addr)} pc=${hex(pc)}]`,
      facts: { signal: { signo, errno: 0, code: Number(BigInt.asIntN(32, code)), addr }, pc },
    }
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/** The argument of `runtime.throw(s string)` as its frame spilled it: pointer and length above the return address. */
function thrownText(runtime: Runtime, { thrower }: DeathStack): string | undefined {
  if (!thrower) return undefined
  const argp = thrower.fp + runtime.image.arch.minFrameSize
  try {
    const { bytes, length } = readStringAt(runtime.memory, argp, maxThrowText)
    return length > 0 && length <= maxThrowText ? utf8(bytes) : undefined
  } catch (error) {
    if (error instanceof MemoryFault) return undefined
    throw error
  }
}

/**
 * The first line again for each other thread that threw the same text at the same time: it printed it, but what is
 * printed is no longer recorded once one thread counts as panicking.
 */
function repeatedThrows(runtime: Runtime, guilty: GoThread | undefined, line: string | undefined): string[] {
  if (line === undefined) return []
  const text = ({ thrower }: DeathStack): number | undefined => {
    const argp = thrower && thrower.fp + runtime.image.arch.minFrameSize
    return argp !== undefined && runtime.memory.has(argp, 8) ? runtime.memory.word(argp) : undefined
  }
  const own = text(readDeathStack(runtime, guilty))
  if (own === undefined) return []
  return runtime.threads
    .filter(thread => thread !== guilty && thread.machine !== undefined && thread.machine.throwing !== 0)
    .slice(0, maxThrowers)
    .filter(thread => text(readDeathStack(runtime, thread)) === own)
    .map(() => line)
}

/** The reader of the program's type descriptors. */
export function openTypes(runtime: Runtime): TypeReader {
  return new TypeReader(runtime.memory, runtime.modules, { goMinor: runtime.context.goMinor })
}
