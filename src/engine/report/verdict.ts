/**
 * The verdict: one sentence that adds what the message leaves out. It says what the core shows and nothing that would
 * have to be guessed; where there is nothing to add it names the place.
 */
import type { DeathFacts } from './death.ts'
import type { Frame } from './report.ts'
import { isRuntime } from './signature.ts'

export interface VerdictContext {
  /** The guilty stack, innermost first: the goroutine's, or the C thread's. */
  readonly frames: readonly Frame[]
  /** States of the program's own goroutines and how many are in each. */
  readonly states: ReadonlyMap<string, number>
  readonly goroutineCount: number
  /** The panic's value written out, where the message shows an address only. */
  readonly value?: string
  /** Its type, where the message shows the text of its Error or String method. */
  readonly type?: string
  readonly pid?: number
}

export function verdictOf(death: DeathFacts, context: VerdictContext): string {
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
      return `The process had not died: this is a snapshot of it${countText(context)}.`
    case 'unknown':
      return 'The core does not show why the process died.'
  }
}

function panicVerdict(death: DeathFacts, context: VerdictContext): string {
  const newest = death.panics.at(-1)
  const text = newest?.text ?? ''
  const place = placeOf(context.frames)
  const where = place ?? 'The program'
  const chain = chainText(death)
  const sentence = runtimeError(text, where, death)
  if (sentence) return `${sentence}.${chain}`
  if (context.value) return `${where} panicked with ${context.value}.${chain}`
  const type =
    context.type && context.type !== 'string' ? `${article(context.type)} ${context.type}` : undefined
  const given = type ? ` with ${type}` : ''
  return `${where} panicked${given}, and nothing recovered it.${chain}`
}

/** What the runtime's own errors mean at that place. */
function runtimeError(text: string, where: string, death: DeathFacts): string | undefined {
  if (text.includes('nil pointer dereference')) {
    if (death.address === undefined) return undefined
    const address = Number(death.address)
    const member = address === 0 ? '' : `, ${address} bytes into what it should point to`
    return `${where} used a nil pointer${member}`
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

function fatalVerdict(death: DeathFacts, context: VerdictContext): string {
  const { message } = death
  const place = placeOf(context.frames)
  if (message.includes('deadlock')) {
    const waits = statesText(context.states)
    return waits === '' ? 'No goroutine is left that could go on.' : `No goroutine can ever go on: ${waits}.`
  }
  if (message.includes('concurrent map')) {
    const seen = place ? `; it was noticed in ${inPlace(context.frames)}` : ''
    return `Two goroutines used the same map at once without a lock${seen}.`
  }
  if (message.includes('stack overflow')) {
    const loop = loopOf(context.frames)
    return loop
      ? `The goroutine's stack reached its limit: ${loop}.`
      : `The goroutine's stack reached its limit${place ? ` in ${inPlace(context.frames)}` : ''}.`
  }
  if (message.includes('out of memory') || message.includes('cannot allocate'))
    return `The system gave the program no more memory${place ? `; ${inPlace(context.frames)} asked for it` : ''}.`
  if (message.includes('fatal error: fault') || message.includes('unexpected signal')) {
    const how = death.signalCodeName ? ` (${death.signalCodeName})` : ''
    const at = death.address === undefined ? '' : ` at address ${death.address}`
    return `${place ?? 'The program'} touched memory${at} that it may not touch${how}.`
  }
  return place
    ? `${place} broke a rule that the runtime does not let pass.`
    : 'The runtime stopped the program.'
}

function signalVerdict(death: DeathFacts, context: VerdictContext): string {
  const place = placeOf(context.frames) ?? cPlace(context.frames) ?? 'The program'
  const name = death.signalName ?? 'a signal'
  if (death.sender) return `${place} sent its own process ${name}.`
  if (name === 'SIGSEGV' || name === 'SIGBUS') {
    const address = death.address
    // The hardware reports no address for those that are not canonical (SI_KERNEL).
    if (death.signalCodeName === 'SI_KERNEL') return `${place} used an address that cannot be one.`
    const nil = address !== undefined && Number(address) < 4096
    const why =
      death.signalCodeName === 'SEGV_ACCERR' ? ', which does not permit it' : ', where nothing is mapped'
    return nil
      ? `${place} used a null pointer (address ${address}).`
      : `${place} touched address ${address ?? '(unknown)'}${why}.`
  }
  const reasons: Record<string, string> = {
    SIGILL: 'came to an instruction that the processor does not know',
    SIGTRAP: 'came to a breakpoint, and no debugger was there',
    SIGFPE: 'made an arithmetic error',
    SIGABRT: 'aborted the process',
    SIGSYS: 'made a system call that is not permitted',
  }
  return `${place} ${reasons[name] ?? `got ${name}`}.`
}

function killedVerdict(death: DeathFacts, context: VerdictContext): string {
  const name = death.signalName ?? 'a signal'
  const { sender } = death
  const who = sender
    ? sender.pid === 0
      ? 'A process outside of its container'
      : `Process ${sender.pid} (user ${sender.uid})`
    : 'The kernel'
  const waits = statesText(context.states)
  return `${who} sent it ${name}; the program itself did nothing wrong${waits ? `. It was at: ${waits}` : ''}.`
}

/** `main.(*cache).put (cache.go:41)` of the innermost frame that is the program's own. */
function placeOf(frames: readonly Frame[]): string | undefined {
  const frame = frames.find(f => !f.hidden && !isRuntime(f.function) && f.line > 0)
  return frame && `${frame.function} (${baseName(frame.file)}:${frame.line})`
}

function inPlace(frames: readonly Frame[]): string {
  return placeOf(frames) ?? 'the program'
}

function cPlace(frames: readonly Frame[]): string | undefined {
  const inner = ['raise', 'abort', 'gsignal', '__pthread_kill_implementation', 'pthread_kill', 'tgkill', '??']
  const frame = frames.find(f => !inner.includes(f.function)) ?? frames[0]
  if (!frame) return undefined
  return frame.file === '' ? `C function ${frame.function}` : `${frame.function} in ${baseName(frame.file)}`
}

/** A function that is on the stack again and again, or a few that call each other. */
function loopOf(frames: readonly Frame[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { function: name } of frames) if (!isRuntime(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const often = [...counts].filter(([, count]) => count >= 8).map(([name]) => name)
  if (often.length === 0) return undefined
  if (often.length === 1) return `${often[0]} calls itself without end`
  return `${often.slice(0, 4).join(', ')} call each other without end`
}

/** `31 in chan receive, 2 in select`. */
function statesText(states: ReadonlyMap<string, number>): string {
  const parts = [...states].sort((a, b) => b[1] - a[1])
  const shown = parts.slice(0, 5).map(([state, count]) => `${count} in ${state}`)
  if (parts.length > 5) shown.push('…')
  return shown.join(', ')
}

function countText({ goroutineCount }: VerdictContext): string {
  return goroutineCount > 0 ? `, with ${goroutineCount} goroutines` : ''
}

function article(type: string): string {
  return /^\*?[aeiou]/i.test(type) ? 'an' : 'a'
}

function oneLine(text: string): string {
  const line = text.split('\n')[0] ?? ''
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}

function baseName(path: string): string {
  return path.split('/').at(-1) ?? path
}
