/**
 * The signature: one key for crashes that are the same, on any host and in any build of the same source.
 *
 * Its text is the kind of death, the message with all that varies taken out (numbers, addresses, what is in quotes),
 * and the three innermost functions that are not the runtime's: no line numbers, no offsets, no arguments (an inlined
 * function counts like any other). `panic` and the runtime's functions are passed over, under whatever package's name,
 * as are wrappers, and abort and its like; in C code it is the functions' names, or the library's name where there is
 * none. Signals from
 * outside and snapshots say nothing of where the program was, so their text has no functions.
 */
import type { Death, Frame } from './report.ts'

const frameCount = 3
const maxMessage = 120

export function signatureOf(death: Death, frames: readonly Frame[]): { key: string; text: string } {
  const parts = [death.kind, normalise(death.message)]
  if (death.kind !== 'killed' && death.kind !== 'alive') parts.push(...userFunctions(frames))
  const text = parts.filter(part => part !== '').join(' | ')
  return { key: fnv1a64(text), text }
}

/** `index out of range [5] with length 3` → `index out of range [N] with length N`. */
function normalise(message: string): string {
  return message
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/0x[0-9a-fA-F]+/g, 'N')
    .replace(/[+-]?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/g, 'N')
    .slice(0, maxMessage)
}

function userFunctions(frames: readonly Frame[]): string[] {
  const names: string[] = []
  for (const frame of frames.slice(endingLength(frames))) {
    if (frame.hidden || isRuntime(frame.function) || (frame.function === '??' && !frame.module)) continue
    names.push(frame.function === '??' ? frame.module?.split('/').at(-1) || '??' : frame.function)
    if (names.length === frameCount) break
  }
  return names
}

/**
 * A C function's name as the source has it: cgo puts a hash of the package before it, and compilers put `.cold`,
 * `.constprop.0` and the like behind the parts and copies that they make of one.
 */
export function sourceName({ function: name, module }: Frame): string {
  if (module === undefined) return name
  return name
    .replace(/^_cgo_[0-9a-f]+_C2?func_/, '')
    .replace(/(\.(cold|constprop|isra|part|lto_priv|llvm)(\.\d+)?)+$/, '')
}

/** How many of the innermost frames are the C library's way of ending the process: abort and what it calls. */
export function endingLength(frames: readonly Frame[]): number {
  const inner = frames.slice(0, maxEnding)
  const at = inner.findLastIndex(({ function: name, module }) => module !== undefined && endings.test(name))
  return inner.slice(0, at + 1).every(({ module }) => module !== undefined) ? at + 1 : 0
}

/** C's ways to end, then C++'s and Rust's, by mangled names. */
const endings =
  /^(abort|raise|gsignal|pthread_kill|tgkill|kill|__assert_fail|__fortify_fail|__stack_chk_fail|_ZSt9terminatev|__cxa_(re)?throw|__rust_\w+|rust_\w+|_ZN\d+_?[\w$.]*panicking\w*|_R\w*9panicking\w*)$/
const maxEnding = 16

/** Functions in which a program dies, but which are not why. */
export function isRuntime(name: string): boolean {
  return (
    name === 'panic' ||
    name.startsWith('runtime.') ||
    name.startsWith('internal/runtime/') ||
    // Linknamed into other packages: sync.runtime_SemacquireMutex, internal/poll.runtime_pollWait; sync.fatal.
    /^[\w/]+\.(runtime_|fatal$|throw$)/.test(name)
  )
}

/** FNV-1a, 64 bits: stable for ever, and nothing depends on its being hard to invert. */
function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
