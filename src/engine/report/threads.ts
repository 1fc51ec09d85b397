/** Threads: what their registers say, in Go and in C code, through signal handlers down to what was interrupted. */

import type { CoreThread } from '../core/thread.ts'
import { type CStacks, dwarfRegisters, maxCFrames } from '../dwarf/c-stack.ts'
import { amd64DwarfNames } from '../dwarf/unwind.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { GoThread, ThreadContext } from '../runtime/thread.ts'
import { registersAt } from '../scope/thread-registers.ts'
import { cFrames, goFrame, toHex } from './frames.ts'
import type { Frame, Hex, Thread, Warning } from './report.ts'

const maxSwitches = 8

/** A thread of a program, or part of one, that is not Go. */
export function cThread(thread: CoreThread, stacks: CStacks): Thread {
  const walked = [...stacks.walk(dwarfRegisters(name => thread.registers.get(name)))]
  const frames = walked.flatMap(frame => cFrames(frame, stacks))
  return { tid: thread.tid, crashed: thread.crashed, stack: 'c', frames, registers: registersOf(thread) }
}

export function goThread(runtime: Runtime, thread: GoThread, stacks: CStacks): Thread {
  const goroutine = goroutineId(runtime, thread)
  return {
    tid: thread.thread.tid,
    crashed: thread.thread.crashed,
    ...(goroutine === undefined ? {} : { goroutine }),
    stack: thread.contexts[0]?.stack ?? 'unknown',
    frames: thread.contexts.flatMap((context, i) =>
      // A goroutine's own stack is with the goroutine; only the innermost is repeated here.
      context.stack === 'goroutine' && i > 0 ? [] : contextFrames(runtime, thread, context, stacks),
    ),
    registers: registersOf(thread.thread),
  }
}

/** Frames of one context; where C calls Go or Go was called from C, on through both. */
export function contextFrames(
  runtime: Runtime,
  thread: GoThread,
  context: ThreadContext,
  stacks: CStacks,
): Frame[] {
  const frames: Frame[] = []
  const isGo = (pc: number): boolean => runtime.symtab.findFunc(pc) !== undefined
  let { pc, sp } = context.position
  let registers = registersAt(runtime.image, thread, context)
  let trap = context.position.trap
  for (let n = 0; n < maxSwitches; n++) {
    if (isGo(pc)) {
      const traceback = runtime.tracebacker.trace({ ...context.position, pc, sp, trap })
      frames.push(...traceback.frames.map(goFrame))
      if (traceback.end.kind !== 'foreign') return frames
      if (traceback.end.pc === pc && traceback.end.sp === sp) return frames
      ;({ pc, sp } = traceback.end)
      if (!Number.isFinite(pc) || !Number.isFinite(sp)) return frames
      registers = new Map([
        [amd64DwarfNames.indexOf('rsp'), BigInt(sp)],
        [amd64DwarfNames.indexOf('rip'), BigInt(pc)],
      ])
    } else {
      let goPosition: { pc: number; sp: number } | undefined
      const stop = (at: number, stack: number): boolean => {
        if (!isGo(at)) return false
        goPosition = { pc: at, sp: stack }
        return true
      }
      frames.push(...[...stacks.walk(registers, stop)].flatMap(frame => cFrames(frame, stacks)))
      if (!goPosition) return frames
      ;({ pc, sp } = goPosition)
    }
    trap = false
  }
  return frames
}

function goroutineId(runtime: Runtime, { machine }: GoThread): number | undefined {
  if (!machine || machine.curg === 0) return undefined
  try {
    return runtime.goroutineAt(machine.curg).id || undefined
  } catch {
    return undefined
  }
}

function registersOf({ registers }: CoreThread): Record<string, Hex> {
  return Object.fromEntries(registers.entries().map(([name, value]) => [name, toHex(value)]))
}

/** Threads whose stacks in C go on behind the frames that are kept. */
export function cutStacks(threads: readonly Thread[]): Warning[] {
  return threads
    .filter(({ frames }) => frames.filter(isOfC).length >= maxCFrames)
    .slice(0, 8)
    .map(({ tid }) => ({
      code: 'c-stack-cut',
      message: `The stack of thread ${tid} has more than the ${maxCFrames} frames that are listed.`,
    }))
}

function isOfC({ module, inlined }: Frame): boolean {
  return module !== undefined && !inlined
}
