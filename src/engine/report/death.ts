/** The death of a process as the report tells it: Go's, or a plain signal's. */
import type { ProcessImage } from '../core/process-image.ts'
import type { Siginfo } from '../core/siginfo.ts'
import type { CFrame } from '../dwarf/c-stack.ts'
import type { GoDeath } from '../runtime/death.ts'
import { isSent, Signal, signalCodeName, signalName, signalText } from '../runtime/death-signals.ts'
import type { Panic } from '../runtime/panic-chain.ts'
import { toHex } from './frames.ts'
import type { Death, DeathKind, PanicRecord } from './report.ts'

/** All of a `Death` but the verdict, which is written with the stacks at hand. */
export type DeathFacts = Omit<Death, 'verdict'>

/** In place of a message, of which there is none. */
const snapshot = 'snapshot of a running process'

/** Signals that a core of a living process (gcore) shows: the stop that the dumper made, or none. */
const stops: ReadonlySet<number> = new Set([0, Signal.stop, Signal.trap])

export function goDeath(
  image: ProcessImage,
  death: GoDeath,
  panicTypes: ReadonlyMap<Panic, string>,
): DeathFacts {
  const { kind, thread, goroutine, signal, pc, panics, lines } = death
  const printed = death.printed()
  const final = image.core.siginfo ?? signalOfThread(image)
  const place = {
    ...(goroutine ? { goroutine: goroutine.id } : {}),
    ...(thread ? { thread: thread.thread.tid } : {}),
    panics: panics.map(panic => panicRecord(panic, panicTypes)),
    ...(printed === undefined ? {} : { printed }),
  }
  if (kind === 'panic' || kind === 'fatal') {
    const cause = signal ?? final
    return {
      kind,
      message: death.message,
      ...(lines.length > 0 ? { lines: [...lines] } : {}),
      ...(cause ? signalFacts(cause, signal !== undefined) : {}),
      ...(pc === undefined ? {} : { pc: toHex(pc) }),
      ...(signal && final && final.signo !== signal.signo ? { finalSignal: final.signo } : {}),
      ...place,
    }
  }
  const cause = signal ?? final
  if (isAlive(image, cause, death)) return { kind: 'alive', message: snapshot, ...place }
  if (!cause) return { kind: 'unknown', message: 'unknown', ...place }
  if (kind === 'unknown')
    return { kind, message: signalText(cause.signo), ...signalFacts(cause, true), ...place }
  return {
    kind: kindOfSignal(cause, image.core.psinfo?.pid),
    message: signalText(cause.signo),
    ...(lines.length > 0 ? { lines: [...lines] } : {}),
    ...signalFacts(cause, true),
    ...(pc === undefined ? {} : { pc: toHex(pc) }),
    ...(final && final.signo !== cause.signo ? { finalSignal: final.signo } : {}),
    ...place,
  }
}

/** `origin`: the frame that a handler's signal interrupted, where the program caught it and died later. */
export function cDeath(
  image: ProcessImage,
  origin: { frame: CFrame; siginfo: Siginfo } | undefined,
): DeathFacts {
  const final = image.core.siginfo ?? signalOfThread(image)
  const crashed = image.core.threads.find(thread => thread.crashed)
  const place = { ...(crashed ? { thread: crashed.tid } : {}), panics: [] }
  const cause = origin?.siginfo ?? final
  if (isAlive(image, cause, undefined)) return { kind: 'alive', message: snapshot, ...place }
  if (!cause) return { kind: 'unknown', message: 'unknown', ...place }
  const pc = origin?.frame.pc ?? crashed?.registers.pc
  return {
    kind: kindOfSignal(cause, image.core.psinfo?.pid),
    message: signalText(cause.signo),
    ...signalFacts(cause, true),
    ...(pc === undefined ? {} : { pc: toHex(pc) }),
    ...(final && final.signo !== cause.signo ? { finalSignal: final.signo } : {}),
    ...place,
  }
}

/** Sent by another process, or by the terminal: not the program's doing. */
function kindOfSignal({ signo, code, pid }: Siginfo, own: number | undefined): DeathKind {
  if (isSent(code)) return pid !== undefined && pid === own ? 'signal' : 'killed'
  const faults: readonly number[] = [Signal.ill, Signal.trap, Signal.bus, Signal.fpe, Signal.segv, Signal.sys]
  return faults.includes(signo) ? 'signal' : 'killed'
}

function isAlive({ core }: ProcessImage, cause: Siginfo | undefined, death: GoDeath | undefined): boolean {
  if (death?.thread?.machine && death.thread.machine.dying > 0) return false
  if (!cause) return core.threads.every(({ signal }) => stops.has(signal))
  // A breakpoint trap has TRAP_BRKPT or SI_KERNEL; a debugger's stop comes with neither.
  return cause.signo === 0 || cause.signo === Signal.stop || (cause.signo === Signal.trap && cause.code === 0)
}

/** NT_SIGINFO is missing in old cores; pr_cursig still has the number. */
function signalOfThread({ core }: ProcessImage): Siginfo | undefined {
  const signo = core.threads.find(({ crashed }) => crashed)?.signal ?? 0
  return signo === 0 ? undefined : { signo, errno: 0, code: 0x80 }
}

function signalFacts(info: Siginfo, withDetails: boolean): Partial<DeathFacts> {
  const { signo, code, addr, pid, uid } = info
  const facts = { signal: signo, signalName: signalName(signo) }
  if (!withDetails) return facts
  const codeName = signalCodeName(signo, code)
  return {
    ...facts,
    signalCode: code,
    ...(codeName === undefined ? {} : { signalCodeName: codeName }),
    // With SI_KERNEL the hardware told no address, and the 0 there is none.
    ...(addr === undefined || codeName === 'SI_KERNEL' ? {} : { address: toHex(addr) }),
    ...(isSent(code) && pid !== undefined ? { sender: { pid, uid: uid ?? 0 } } : {}),
  }
}

export function panicRecord(panic: Panic, types?: ReadonlyMap<Panic, string>): PanicRecord {
  const type = types?.get(panic) ?? panic.value.type?.name
  return {
    text: panic.goexit ? '' : panic.value.text,
    ...(type === undefined ? {} : { type }),
    recovered: panic.recovered,
    repanicked: panic.repanicked,
    goexit: panic.goexit,
  }
}
