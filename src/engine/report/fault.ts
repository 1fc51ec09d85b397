/** The instruction that the hardware refused, with the registers of that moment where the core still holds them. */
import type { CoreThread } from '../core/thread.ts'
import type { CFrame } from '../dwarf/c-stack.ts'
import { amd64DwarfNames } from '../dwarf/unwind.ts'
import type { GoDeath } from '../runtime/death.ts'
import { signalName } from '../runtime/death-signals.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { registersAt } from '../scope/thread-registers.ts'
import type { DeathFacts } from './death.ts'

export interface ProcessFault {
  readonly pc: number
  /** Where the access went; absent where the hardware did not tell it. */
  readonly address?: bigint
  readonly signalName: string
  /** By name; absent where the runtime made a panic of the signal, and the handler's frame is gone. */
  readonly registers?: ReadonlyMap<string, bigint>
}

/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV. */
const faults: ReadonlySet<number> = new Set([4, 5, 7, 8, 11])

/** Of a Go program; undefined where nothing faulted. */
export function goFault({ image }: Runtime, { signal, pc, thread }: GoDeath): ProcessFault | undefined {
  if (!signal || pc === undefined || !faults.has(signal.signo) || signal.code <= 0) return undefined
  const context = thread?.contexts.find(({ position }) => position.pc === pc)
  const known = thread && context ? named(registersAt(image, thread, context)) : undefined
  return {
    pc,
    ...(signal.addr === undefined || signal.code === 0x80 ? {} : { address: signal.addr }),
    signalName: signalName(signal.signo),
    ...(known ? { registers: known } : {}),
  }
}

/** Of a program that is not Go. */
export function cFault(
  facts: DeathFacts,
  crashed: CoreThread | undefined,
  walked: readonly CFrame[],
): ProcessFault | undefined {
  if (facts.pc === undefined || facts.signal === undefined || !faults.has(facts.signal)) return undefined
  if ((facts.signalCode ?? 0) <= 0) return undefined
  const pc = Number(facts.pc)
  const frame = walked.find(candidate => candidate.pc === pc && candidate.interrupted)
  const registers =
    crashed?.registers.pc === pc ? new Map(crashed.registers.entries()) : frame && named(frame.registers)
  return {
    pc,
    ...(facts.address === undefined ? {} : { address: BigInt(facts.address) }),
    signalName: facts.signalName ?? signalName(facts.signal),
    ...(registers ? { registers } : {}),
  }
}

const named = (registers: ReadonlyMap<number, bigint>): ReadonlyMap<string, bigint> =>
  new Map(
    [...registers].flatMap(([number, value]) => {
      const name = amd64DwarfNames[number]
      return name === undefined ? [] : [[name, value] as const]
    }),
  )
