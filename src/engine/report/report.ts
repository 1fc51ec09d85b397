/**
 * The report: what the engine says of one crash, as plain data. `gocore-report(5)` documents it field by field.
 * Within a version, fields are only added. Addresses and register values are `0x…` text, because JSON numbers
 * end at 2^53; counts, sizes and durations are numbers.
 */

export const reportVersion = 1

/** `0x` and hexadecimal digits. */
export type Hex = string

export interface Report {
  schema: 'gocore-report'
  version: typeof reportVersion
  core: CoreFacts
  program: ProgramFacts
  /** Absent for programs that are not Go. */
  go?: GoFacts
  death: Death
  /** How many goroutines the program had that were not dead, listed below or not. */
  goroutineCount: number
  /** In the order of `runtime.allgs`; the guilty one is `death.goroutine`. System goroutines are marked. */
  goroutines: Goroutine[]
  /** How many of them `goroutines` leaves out; 0 when it lists all. */
  goroutinesOmitted: number
  /** All goroutines, by equal stacks, largest group first. */
  groups: GoroutineGroup[]
  threads: Thread[]
  /** A short stable key that equal crashes share, and the text it was made from. */
  signature: { key: string; text: string }
  warnings: Warning[]
}

export interface Warning {
  /** Stable, kebab-case: `core-truncated`, `stack-unreadable`, … */
  code: string
  message: string
}

export interface CoreFacts {
  /** Bytes that the program headers promise, and bytes there are. */
  expectedSize: number
  size: number
  complete: boolean
  arch: string
  /** How the address space was pieced together: bytes from the core and from files. */
  bytesFromCore?: number
  bytesFromFiles?: number
}

export interface ProgramFacts {
  name: string
  path?: string
  args?: string
  pid?: number
  uid?: number
  gid?: number
  /** GNU build id, lower-case hex. */
  buildId?: string
  goBuildId?: string
  /** `none`: full; `symbols`: no `.symtab`; `dwarf`: no DWARF; `both`: `-s -w`. */
  stripped?: 'none' | 'symbols' | 'dwarf' | 'both'
  pie?: boolean
  language: 'go' | 'c' | 'unknown'
}

export interface GoFacts {
  /** As `runtime.Version()` prints it: `go1.26.8`, with experiments after ` X:`. */
  version: string
  os?: string
  arch?: string
  main?: GoModule
  /** Package path of `main`. */
  path?: string
  modules?: GoModule[]
  /** `-buildmode`, `-trimpath`, `CGO_ENABLED`, `vcs.revision`, … as `go version -m` lists them. */
  settings?: Record<string, string>
  vcs?: { system?: string; revision?: string; time?: string; modified?: boolean }
  gomaxprocs?: number
  /** What answered for structure offsets: DWARF, a table of this version, or a stated guess. */
  layout: 'dwarf' | 'table' | 'guess'
}

export interface GoModule {
  path: string
  version?: string
  sum?: string
  replace?: GoModule
}

export type DeathKind =
  /** An unrecovered panic, `runtime error`s included. */
  | 'panic'
  /** `fatal error: …` by `runtime.throw` or `runtime.fatal`. */
  | 'fatal'
  /** A signal that the program itself caused: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, in code that cannot panic or is not Go. */
  | 'signal'
  /** A signal that came from outside or was sent on purpose: SIGQUIT, SIGABRT by kill, … */
  | 'killed'
  /** A core of a process that had not died: gcore. */
  | 'alive'
  | 'unknown'

export interface Death {
  kind: DeathKind
  /** The first line as the runtime printed or would have printed it: `panic: assignment to entry in nil map`. */
  message: string
  /** One sentence for a person that adds what the message leaves out. */
  verdict: string
  /** The lines with which the runtime's own report begins, before the first goroutine; absent where it has none. */
  lines?: string[]
  /** The original signal's number; for a panic under GOTRACEBACK=crash that the runtime raised it is SIGABRT. */
  signal?: number
  signalName?: string
  /** si_code and its name, `SEGV_MAPERR`. */
  signalCode?: number
  signalCodeName?: string
  /** The fault address, where the signal has one. */
  address?: Hex
  /** Where the signal arrived. */
  pc?: Hex
  /** Who sent it, where it came from outside. */
  sender?: { pid: number; uid: number }
  /** The signal that ended the process and made the core, where it differs from `signal`. */
  finalSignal?: number
  /** Id of the guilty goroutine, or of the one that a signal from outside interrupted; absent where none is (C code, g0). */
  goroutine?: number
  /** Kernel thread id on which it happened. */
  thread?: number
  /** The chain of panics, innermost last, as the runtime prints them. */
  panics: PanicRecord[]
  /** What `runtime.printBacklog` held: the text printed before the crash began, `fatal error: …` included. */
  printed?: string
}

export interface PanicRecord {
  /** As printed after `panic: `. */
  text: string
  /** Go type of the value: `string`, `runtime.boundsError`, `*errors.errorString`; absent where it can't be told. */
  type?: string
  recovered: boolean
  repanicked: boolean
  goexit: boolean
}

export interface Goroutine {
  id: number
  /** The runtime's own text between the brackets: `chan receive, 2 minutes, locked to thread`. */
  state: string
  /** `idle runnable running syscall waiting dead copystack preempted leaked deadextra`, as `runtime` names them. */
  status: string
  waitReason?: string
  /** `g.waitsince`, nanoseconds of the runtime's clock; 0 or absent when the runtime did not record it. */
  waitSinceNs?: number
  /** How long it has waited, at least. */
  waitNs?: number
  lockedToThread: boolean
  /** Kernel thread id it was running on. */
  thread?: number
  /** Runtime-internal goroutine, which the runtime's traceback hides below GOTRACEBACK=system. */
  system: boolean
  labels?: Record<string, string>
  frames: Frame[]
  /** The walk stopped at its cap; so many frames at least are left out in the middle or below. */
  framesOmitted?: number
  /** After how many of `frames` they are left out. */
  framesOmittedAfter?: number
  createdBy?: CreatedBy
  /** Its panics that have not come to an end, oldest first; absent for the many that have none. */
  panics?: PanicRecord[]
}

export interface CreatedBy {
  function: string
  file: string
  line: number
  offset: number
  pc: Hex
  /** The id after ` in goroutine `; Go 1.21 and later. */
  goroutine?: number
}

export interface Frame {
  /** As the runtime prints it: `main.(*cache).put`, `panic`, `main.apply[...]`. */
  function: string
  file: string
  line: number
  /** Of frames in C code only: the executable or library whose code it is, empty where none is known. */
  module?: string
  /** The `+0x…` of the traceback: pc less the entry of the (outermost) function. Absent for inlined frames. */
  offset?: number
  pc: Hex
  sp?: Hex
  inlined: boolean
  /** The runtime's text between the parentheses: `0xc0000a4000, {0x4b2a10?, 0x7}, ...`; `...` for inlined frames. */
  args: string
  /** A frame that the runtime's own traceback leaves out below GOTRACEBACK=system (wrappers are left out of all). */
  hidden?: boolean
}

export interface GoroutineGroup {
  count: number
  /** At most the first 32. */
  ids: number[]
  /** State without the wait time. */
  state: string
  longestWaitNs?: number
  system: boolean
  /** The frames of the first member. */
  frames: Frame[]
  createdBy?: CreatedBy
}

export interface Thread {
  /** Kernel thread id. */
  tid: number
  /** The thread whose registers the kernel wrote first: the one that died. */
  crashed: boolean
  /** Id of the goroutine that it ran. */
  goroutine?: number
  /** Which stack the registers were on. */
  stack: 'goroutine' | 'g0' | 'gsignal' | 'c' | 'unknown'
  /** Position in the code and all frames of its current stack (g0, gsignal, C), innermost first. */
  frames: Frame[]
  registers: Record<string, Hex>
}
