/** Frames of the engine as frames of the report. */
import type { CFrame, CStacks } from '../dwarf/c-stack.ts'
import type { CreatedBy as RuntimeCreatedBy } from '../runtime/runtime.ts'
import type { TracebackFrame } from '../runtime/traceback.ts'
import type { CreatedBy, Frame, Hex } from './report.ts'

/** Numbers in two halves: V8 prints small integers many times faster than large ones. */
export function toHex(value: number | bigint): Hex {
  if (typeof value === 'bigint' || !(value >= 0x40000000)) return `0x${value.toString(16)}`
  const low = value % 0x1000000
  return `0x${((value - low) / 0x1000000).toString(16)}${(low + 0x1000000).toString(16).slice(1)}`
}

/** Without spreads: a hundred thousand goroutines have a million frames, and those would cost more than all the rest. */
export function goFrame(frame: TracebackFrame): Frame {
  const { offset, hidden } = frame
  const pc = toHex(frame.pc)
  const sp = toHex(frame.sp)
  const { function: name, file, line, inlined, args } = frame
  if (hidden)
    return offset === undefined
      ? { function: name, file, line, pc, sp, inlined, args, hidden }
      : { function: name, file, line, offset, pc, sp, inlined, args, hidden }
  return offset === undefined
    ? { function: name, file, line, pc, sp, inlined, args }
    : { function: name, file, line, offset, pc, sp, inlined, args }
}

/** A frame of C code, and before it the calls inlined into it. Without line tables the file is the one whose code it is. */
export function cFrames(frame: CFrame, stacks: CStacks): Frame[] {
  const { name = '??', source } = frame
  const place = { function: name, file: source?.file ?? '', line: source?.line ?? 0, inlined: false }
  const frames = stacks.inlinedAt(frame) ?? [place]
  return frames.map(({ function: name, file, line, inlined }) => ({
    function: name,
    file: file || (frame.path ?? ''),
    line,
    module: frame.path ?? '',
    ...(frame.offset === undefined || inlined ? {} : { offset: frame.offset }),
    pc: toHex(frame.pc),
    sp: toHex(frame.sp),
    inlined,
    args: inlined ? '...' : '',
  }))
}

export function createdBy(from: RuntimeCreatedBy | undefined): { createdBy?: CreatedBy } {
  if (!from) return {}
  const { function: name, file, line, offset, pc, goroutine } = from
  return {
    createdBy: {
      function: name,
      file,
      line,
      offset,
      pc: toHex(pc),
      ...(goroutine === 0 ? {} : { goroutine }),
    },
  }
}
