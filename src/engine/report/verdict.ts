/**
 * The verdict: one sentence that adds what the message leaves out. It says what the core shows and nothing that would
 * have to be guessed; where there is nothing to add it names the place.
 */
import type { DeathFacts } from './death.ts'
import { goPlace, guiltyPlace, loopOf, momentText, nilReceiver, oneLine, statesText } from './place.ts'
import type { Frame } from './report.ts'
import { endingLength } from './signature.ts'

export interface VerdictContext {
  /** The guilty stack, innermost first: the goroutine's, or the C thread's and the goroutine's below it. */
  readonly frames: readonly Frame[]
  /** States of the program's own goroutines and how many are in each. */
  readonly states: ReadonlyMap<string, number>
  /** The same with the place of each; asked for where it is the answer. */
  readonly waits: () => ReadonlyMap<string, number>
  readonly goroutineCount: number
  /** Whether the program's file was at hand: without it not even its language is known. */
  readonly executable: boolean
  /** Whether a function is of the program's own modules, not of the standard library. */
  readonly isOwn: (name: string) => boolean
  /** `goroutine 1 had panicked …`, of one whose panic has not come to its end. */
  readonly panicking?: string | undefined
  /** Where other goroutines were that used the same map at the same time: `goroutine 7 in main.f (a.go:1)`. */
  readonly rivals?: readonly string[]
  /** The panic's value written out, where the message shows an address only. */
  readonly value?: string
  /** Its type, where the message shows the text of its Error or String method. */
  readonly type?: string
  /** What the signal interrupted in whose handler the process died, where the signal itself is not known. */
  readonly interrupted?: readonly Frame[]
}

/** Addresses below are null pointers: the kernel maps nothing there (vm.mmap_min_addr, runtime.minLegalPointer). */
const nilPage = 4096

export function verdictOf(death: DeathFacts, context: VerdictContext): string {
  const verdict = verdictOfKind(death, context)
  return context.executable ? verdict : `${verdict} Without its executable the core does not tell more.`
}

function verdictOfKind(death: DeathFacts, context: VerdictContext): string {
  switch (death.kind) {
    case 'panic':
      return panicVerdict(death, context)
    case 'fatal':
      return fatalVerdict(death, context)
    case 'signal':
      return signalVerdict(death, context)
    case 'killed':
      return killedVerdict(death, context)
    case 'alive':
      return `The process had not died: this is a snapshot of it${countText(context)}${context.panicking ? `; ${context.panicking}` : ''}.`
    case 'unknown':
      return death.signalName === 'SIGABRT'
        ? 'The Go runtime ended the process with SIGABRT, as it does after a panic or a fatal error; the part of the core that says which is missing.'
        : 'The core does not show why the process died.'
  }
}

function panicVerdict(death: DeathFacts, context: VerdictContext): string {
  const newest = death.panics.at(-1)
  const text = newest?.text ?? ''
  const where = goPlace(context) ?? 'The program'
  const chain = chainText(death)
  const sentence = runtimeError(text, where, death, nilReceiver(context.frames))
  if (sentence) return `${sentence}.${chain}`
  if (context.value) return `${where} panicked with ${context.value}.${chain}`
  const type =
    context.type && context.type !== 'string' ? `${article(context.type)} ${context.type}` : undefined
  const given = type ? ` with ${type}` : ''
  return `${where} panicked${given}, and nothing recovered it.${chain}`
}

/** What the runtime's own errors mean at that place. */
function runtimeError(
  text: string,
  where: string,
  death: DeathFacts,
  receiver: string | undefined,
): string | undefined {
  if (text.includes('nil pointer dereference')) {
    if (death.address === undefined) return undefined
    const address = Number(death.address)
    if (address >= nilPage)
      return `${where} touched address ${death.address}, which it may not (debug.SetPanicOnFault was on)`
    // A call through a nil interface reads its method table, whose functions begin at 24.
    const what =
      receiver === undefined && address >= 24 && address % 8 === 0 ? 'pointer or interface' : 'pointer'
    const member = address === 0 ? '' : `, ${address} bytes into what it should point to`
    const self = receiver === undefined ? '' : `; the *${receiver} that it was called on is nil`
    return `${where} used a nil ${what}${member}${self}`
  }
  const rules: [RegExp, (match: RegExpExecArray) => string][] = [
    [/index out of range \[(-?\d+)\] with length 0/, m => `indexed something empty with ${m[1]}`],
    [
      /index out of range \[(-?\d+)\] with length (\d+)/,
      m => `used index ${m[1]} where ${Number(m[2]) - 1} is the last`,
    ],
    [/index out of range \[(-\d+)\]/, m => `used the negative index ${m[1]}`],
    [/slice bounds out of range/, () => 'cut a slice beyond its bounds'],
    [/assignment to entry in nil map/, () => 'wrote to a map that was never made'],
    [/integer divide by zero/, () => 'divided by zero'],
    [/interface conversion: .* is nil, not (.*)/, m => `asserted that a nil interface holds ${m[1]}`],
    [
      /interface conversion: .* is (.*), not (.*)/,
      m => `asserted ${m[2]} of an interface that holds ${m[1]}`,
    ],
    [
      /interface conversion: (.*) is not (.*): missing method (.*)/,
      m => `asserted ${m[2]} of ${m[1]}, which has no method ${m[3]}`,
    ],
    [/send on closed channel/, () => 'sent on a channel that was closed already'],
    [/close of closed channel/, () => 'closed a channel a second time'],
    [/close of nil channel/, () => 'closed a channel that was never made'],
    [/hash of unhashable type (.*)/, m => `used a value of type ${m[1]} as a map key`],
    [/comparing uncomparable type (.*)/, m => `compared values of type ${m[1]}, which have no equality`],
    [/negative shift amount/, () => 'shifted by a negative amount'],
    [/makeslice: (len|cap) out of range/, m => `made a slice with a ${m[1]} that cannot be`],
    [/cannot convert slice/, () => 'converted a slice that is too short for the array'],
    [/panic called with nil argument/, () => 'called panic(nil)'],
  ]
  for (const [pattern, say] of rules) {
    const match = pattern.exec(text)
    if (match) return `${where} ${say(match)}`
  }
  return undefined
}

function chainText({ panics }: DeathFacts): string {
  const real = panics.filter(({ goexit }) => !goexit)
  if (real.length < 2) return ''
  const first = real[0]!
  const how = first.recovered
    ? 'was recovered, and then it panicked again'
    : 'was followed by another in a deferred call'
  return ` An earlier panic (${oneLine(first.text)}) ${how}.`
}

/** What else the program can have done that runtime.fatal or runtime.throw ends it for. */
const fatalReasons: readonly [RegExp, string][] = [
  [/sync: RUnlock of unlocked RWMutex/, 'released a read lock that was not held'],
  [/sync: [Uu]nlock of unlocked (RW)?[Mm]utex/, 'unlocked a mutex that was not locked'],
  [/sync: inconsistent mutex state/, 'used a mutex whose memory was overwritten or copied'],
  [
    /panic while printing panic value/,
    'panicked in the Error or String method of the value that it had panicked with',
  ],
  [/go of nil func value/, 'started a goroutine with a nil function'],
  [/found bad pointer in Go heap/, 'left a pointer to no object in memory, most likely by unsafe or C code'],
  [/checkptr: /, 'converted an unsafe.Pointer in a way that is not permitted'],
  [
    /newosproc|thread exhaustion|failed to create new OS thread/,
    'needed another thread, which the system did not give',
  ],
  [/stack split at bad time|stack not a power of 2|bad pointer in frame/, 'ran into a damaged stack'],
]

function fatalVerdict(death: DeathFacts, context: VerdictContext): string {
  const { message } = death
  const place = goPlace(context)
  if (message.includes('deadlock')) {
    const waits = statesText(context.waits())
    return waits === '' ? 'No goroutine is left that could go on.' : `No goroutine can ever go on: ${waits}.`
  }
  if (message.includes('concurrent map')) {
    const { rivals = [] } = context
    const self = death.goroutine === undefined ? '' : `goroutine ${death.goroutine} in `
    const who = [...(place ? [`${self}${place}`] : []), ...rivals]
    if (rivals.length > 0) return `Goroutines used the same map at once without a lock: ${who.join(', ')}.`
    const seen = place ? `; it was noticed in ${place}` : ''
    return `Two goroutines used the same map at once without a lock${seen}.`
  }
  if (message.includes('stack overflow')) {
    const loop = loopOf(context.frames)
    return loop
      ? `The goroutine's stack reached its limit: ${loop}.`
      : `The goroutine's stack reached its limit${place ? ` in ${place}` : ''}.`
  }
  if (message.includes('out of memory') || message.includes('cannot allocate'))
    return `The system gave the program no more memory${place ? `; ${place} asked for it` : ''}.`
  if (message.includes('fatal error: fault') || message.includes('unexpected signal')) {
    const how = death.signalCodeName ? ` (${death.signalCodeName})` : ''
    const at = death.address === undefined ? '' : ` at address ${death.address}`
    return `${place ?? 'The program'} touched memory${at} that it may not touch${how}.`
  }
  const known = fatalReasons.find(([pattern]) => pattern.test(message))
  if (known) return `${place ?? 'The program'} ${known[1]}.`
  return `The runtime stopped the program${place ? ` in ${place}` : ''}.`
}

function signalVerdict(death: DeathFacts, context: VerdictContext): string {
  const place = guiltyPlace(context) ?? 'The program'
  const name = death.signalName ?? 'a signal'
  if (name === 'SIGABRT') {
    const ending = abortText(context.frames)
    if (ending) return `${place} ${ending}${handlerText(context)}.`
  }
  if (death.sender) return `${place} sent its own process ${name}.`
  if (name === 'SIGSEGV' || name === 'SIGBUS') {
    const { address } = death
    if (death.signalCodeName === 'SI_KERNEL') return `${place} used an address that cannot be one.`
    if (address === undefined) return `${place} touched memory that it may not touch.`
    if (address === death.pc)
      return `${place} called ${address === '0x0' ? 'a null function pointer' : `address ${address}, where there is no code`}.`
    if (Number(address) < nilPage) return `${place} used a null pointer (address ${address}).`
    const loop = nearStack(Number(address), context.frames) ? loopOf(context.frames) : undefined
    if (loop) return `${place} used up its stack: ${loop}.`
    const why =
      death.signalCodeName === 'SEGV_MAPERR' ? 'where nothing is mapped' : 'which does not permit it'
    return `${place} touched address ${address}, ${why}.`
  }
  const reasons: Record<string, string> = {
    SIGILL: 'came to an instruction that the processor does not know',
    SIGTRAP: 'came to a breakpoint, and no debugger was there',
    SIGFPE: 'made an arithmetic error',
    SIGSYS: 'made a system call that is not permitted',
  }
  return `${place} ${reasons[name] ?? `got ${name}`}.`
}

/** Within a large frame of the stack pointer: below it the stack ends. */
function nearStack(address: number, [frame]: readonly Frame[]): boolean {
  return frame?.sp !== undefined && Math.abs(address - Number(frame.sp)) < 1 << 16
}

/** How C code came to abort: called it, or something that does. */
function abortText(frames: readonly Frame[]): string | undefined {
  const ending = frames.slice(0, endingLength(frames)).map(frame => frame.function)
  const at = ending.indexOf('abort')
  if (at < 0) return undefined
  if (ending.includes('__assert_fail')) return 'failed an assertion'
  if (ending.includes('__cxa_throw')) return 'threw an exception that nothing caught'
  if (ending.includes('__stack_chk_fail')) return 'overwrote its stack'
  return at === ending.length - 1 ? 'called abort()' : 'came to abort()'
}

function handlerText({ interrupted, isOwn }: VerdictContext): string {
  const where = interrupted && guiltyPlace({ frames: interrupted, isOwn })
  return where ? ` in the handler of a signal that had interrupted ${where}` : ''
}

function killedVerdict(death: DeathFacts, context: VerdictContext): string {
  const name = death.signalName ?? 'a signal'
  const waits = momentText(context.states)
  const notes = [
    ...(context.panicking ? [` ${capital(context.panicking)}.`] : []),
    ...(waits ? [` At that moment ${waits}.`] : []),
  ]
  return `${senderText(death)} sent it ${name}; the program did not cause it.${notes.join('')}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function senderText({ sender, signalName }: DeathFacts): string {
  if (!sender) return signalName === 'SIGQUIT' || signalName === 'SIGINT' ? 'The terminal' : 'The kernel'
  if (sender.pid === 0) return 'A process outside of its PID namespace'
  return `Process ${sender.pid} (user ${sender.uid})`
}

function countText({ goroutineCount }: VerdictContext): string {
  return goroutineCount > 0 ? `, with ${goroutineCount} goroutines` : ''
}

function article(type: string): string {
  return /^\*?[aeiou]/i.test(type) ? 'an' : 'a'
}
