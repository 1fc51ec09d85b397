/** Places and counts in words, for the verdict. */
import type { Frame } from './report.ts'
import { endingLength, isRuntime, sourceName } from './signature.ts'

interface Stack {
  readonly frames: readonly Frame[]
  readonly isOwn: (name: string) => boolean
}

/**
 * `main.(*cache).put (cache.go:41)`: the innermost function that is the program's own; of the standard library where
 * none is.
 */
export function goPlace({ frames, isOwn }: Stack): string | undefined {
  const shown = frames.filter(
    f => !f.hidden && f.module === undefined && !isRuntime(f.function) && !isCgoStub(f),
  )
  const frame = shown.find(f => isOwn(f.function)) ?? shown[0]
  return frame && `${frame.function} (${baseName(frame.file)}:${frame.line})`
}

/**
 * Whether the fault was in a method whose receiver is nil: its frame is the one that sigpanic interrupted, and its first
 * argument word is 0 and not marked as stale.
 */
export function nilReceiver(frames: readonly Frame[]): string | undefined {
  const at = frames.findIndex(({ function: name }) => name === 'runtime.sigpanic')
  const frame = at < 0 ? undefined : frames[at + 1]
  const method = frame && /\(\*(\w+(?:\[\.\.\.\])?)\)\.\w+$/.exec(frame.function)
  return method && !frame.inlined && /^0x0(,|$)/.test(frame.args) ? method[1] : undefined
}

/** The same for a stack that may begin in C: `C function length in libx.so, called from main.measure (main.go:12),`. */
export function guiltyPlace(stack: Stack): string | undefined {
  const [first] = stack.frames
  const go = goPlace(stack)
  if (!first || first.module === undefined || isRuntime(first.function)) return go
  const c = cPlace(stack.frames)
  if (!c) return go
  return go ? `${c}, called from ${go},` : c
}

function cPlace(frames: readonly Frame[]): string | undefined {
  const inC = frames.slice(0, frames.findIndex(({ module }) => module === undefined) >>> 0)
  const deciding = inC.slice(endingLength(inC))
  const frame = deciding.find(f => f.function !== '??') ?? deciding[0] ?? inC[0]
  // Without the file whose code it is there is nothing to call it by.
  if (!frame || (frame.function === '??' && !frame.module)) return undefined
  const name = frame.function === '??' ? unnamed(frames) : sourceName(frame)
  const where = frame.line > 0 ? `${baseName(frame.file)}:${frame.line}` : baseName(frame.module ?? '')
  const language = languageOf(frame.function)
  return where === '' ? `${name} (in ${language})` : `${name} (in ${language}, ${where})`
}

/** By the way in which the name is mangled: Itanium C++ ABI; Rust has a hash at the end of those, or `_R` before its own. */
function languageOf(name: string): string {
  if (/^_R[A-Z]|^_ZN.*17h[0-9a-f]{16}E$/.test(name)) return 'Rust'
  return name.startsWith('_Z') ? 'C++' : 'C'
}

/** Stripped C code has no names, but cgo's stub in Go has that of the function it calls. */
function unnamed(frames: readonly Frame[]): string {
  const stub = frames.find(isCgoStub)
  const called = stub && /\._C2?func_(\w+)$/.exec(stub.function)?.[1]
  return called ? `A call of ${called}` : 'Code'
}

/** cgo's Go side of a C function. */
function isCgoStub({ file }: Frame): boolean {
  return file.endsWith('_cgo_gotypes.go')
}

/** A function that is on the stack again and again, or a few that call each other. */
export function loopOf(frames: readonly Frame[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { function: name } of frames) if (!isRuntime(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  const often = [...counts].filter(([, count]) => count >= 8).map(([name]) => name)
  if (often.length === 0) return undefined
  if (often.length === 1) return `${often[0]} calls itself without end`
  return `${often.slice(0, 4).join(' and ')} call each other without end`
}

/** `31 in chan receive, 2 in select`. */
export function statesText(states: ReadonlyMap<string, number>): string {
  const parts = [...states].sort((a, b) => b[1] - a[1])
  const shown = parts.slice(0, 5).map(([state, count]) => `${count} in ${state}`)
  if (parts.length > 5) shown.push('…')
  return shown.join(', ')
}

/** `31 goroutines were in chan receive, 2 in select, 1 running`; empty for none. */
export function momentText(states: ReadonlyMap<string, number>): string {
  const parts = [...states].sort((a, b) => b[1] - a[1])
  const shown = parts.slice(0, 5).map(([state, count], i) => {
    const verb = i > 0 ? '' : count === 1 ? ' goroutine was' : ' goroutines were'
    return `${count}${verb} ${plainStates[state] ?? `in ${state}`}`
  })
  return [...shown, ...(parts.length > 5 ? ['…'] : [])].join(', ')
}

/** States that are no place to be in. */
const plainStates: Readonly<Record<string, string>> = {
  running: 'running',
  runnable: 'ready to run',
  idle: 'idle',
  waiting: 'waiting',
  preempted: 'preempted',
  syscall: 'in a system call',
  sleep: 'asleep',
}

export function baseName(path: string): string {
  return path.split('/').at(-1) ?? path
}

/**
 * Whether a function belongs to the program's modules. Import paths of modules are in the build information; a program
 * without it is judged by the first element of the path, which has a dot in all but the standard library's.
 */
export function ownershipOf(modulePaths: readonly string[]): (name: string) => boolean {
  return name => {
    if (name.startsWith('main.')) return true
    const slash = name.lastIndexOf('/')
    const dot = name.indexOf('.', slash + 1)
    // The last element's dots are escaped: gopkg.in/yaml%2ev3.Marshal.
    const path = name.slice(0, dot < 0 ? undefined : dot).replaceAll('%2e', '.')
    if (modulePaths.some(module => path === module || path.startsWith(`${module}/`))) return true
    return modulePaths.length === 0 && path.split('/')[0]!.includes('.')
  }
}

export function oneLine(text: string): string {
  const line = text.split('\n')[0] ?? ''
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}
