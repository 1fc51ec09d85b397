/** Frames of the engine as frames of the report. */
import type { CFrame } from '../dwarf/c-stack.ts'
import type { CreatedBy as RuntimeCreatedBy } from '../runtime/runtime.ts'
import type { TracebackFrame } from '../runtime/traceback.ts'
import type { CreatedBy, Frame, Hex } from './report.ts'

export function toHex(value: number | bigint): Hex {
  return `0x${value.toString(16)}`
}

export function goFrame(frame: TracebackFrame): Frame {
  const { offset } = frame
  return {
    function: frame.function,
    file: frame.file,
    line: frame.line,
    ...(offset === undefined ? {} : { offset }),
    pc: toHex(frame.pc),
    sp: toHex(frame.sp),
    inlined: frame.inlined,
    args: frame.args,
    ...(frame.hidden ? { hidden: true } : {}),
  }
}

/** Without line tables the file is the one whose code it is. */
export function cFrame(frame: CFrame): Frame {
  return {
    function: frame.name ?? '??',
    file: frame.source?.file ?? frame.path ?? '',
    line: frame.source?.line ?? 0,
    module: frame.path ?? '',
    ...(frame.offset === undefined ? {} : { offset: frame.offset }),
    pc: toHex(frame.pc),
    sp: toHex(frame.sp),
    inlined: false,
    args: '',
  }
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
