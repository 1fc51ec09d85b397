/** A frame of C code as the source has it: with a frame for each call that the compiler put into the function. */
import type { DebugFunction } from './debug-info.ts'

export interface SourceFrame {
  /** The name of debug information; for C++ and Rust as the linker knows it, where it does. */
  readonly function: string
  /** Empty where it is not known. */
  readonly file: string
  /** 0 where it is not known. */
  readonly line: number
  /** Into the next one. */
  readonly inlined: boolean
}

/** `addr`: the file's, of the instruction to look up; `place`: what symbols and line tables say of it. Innermost first. */
export function inlinedFrames(
  func: DebugFunction,
  addr: number,
  place: Omit<SourceFrame, 'inlined'>,
): SourceFrame[] {
  const frames: SourceFrame[] = []
  let { file, line } = place
  for (const call of func.inlinedAt(addr)) {
    frames.push({ function: call.linkageName ?? call.name, file, line, inlined: true })
    file = call.callFile ?? ''
    line = call.callLine
  }
  // C++ and Rust: the symbol has more than the entry's bare name.
  const name = isMangled(place.function) ? place.function : func.name
  return [...frames, { function: name, file, line, inlined: false }]
}

/** By the Itanium C++ ABI, or Rust's own. */
export function isMangled(name: string): boolean {
  return /^_[RZ]/.test(name)
}
