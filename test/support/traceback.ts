/**
 * Reads what a dying Go program wrote to standard error under GOTRACEBACK=crash: the oracle for everything the engine
 * says of goroutines. The text is specified by runtime/traceback.go (goroutineheader, traceback1, printcreatedby),
 * runtime/panic.go (printpanics, dopanic_m) and runtime/signal_unix.go (sighandler), Go 1.19 to 1.27.
 *
 * A goroutine may be printed more than once: where a signal kills, each thread in turn is sent SIGQUIT and prints what
 * it runs, after the first thread could only say that its stack is unavailable. The last print with a stack is kept.
 */

export interface OracleFrame {
  function: string
  args: string
  file: string
  line: number
  inlined: boolean
  /** The `+0x…`; 0 where the text has none because pc is the function's entry. Absent for inlined frames. */
  offset?: number
  pc?: string
  sp?: string
}

export interface OracleCreator {
  function: string
  file: string
  line: number
  offset: number
  goroutine?: number
}

export interface OracleGoroutine {
  id: number
  /** The text between the brackets. */
  state: string
  /** What follows the brackets where labels are printed, without the braces. */
  labels?: string
  frames: OracleFrame[]
  /** The text left frames out: so many (absent: an unknown number) after `after` printed ones. */
  elided?: { after: number; count?: number }
  createdBy?: OracleCreator
  /** `goroutine running on other thread; stack unavailable` and nothing since. */
  unavailable: boolean
  /** Lines in the stack that are no frames: complaints of the unwinder. */
  notes: string[]
  /** How many prints of it had a stack. */
  prints: number
}

export interface Traceback {
  /** The lines before the first goroutine: what the program printed, then the panic, the fatal error, the signal. */
  preamble: string[]
  goroutines: Map<number, OracleGoroutine>
  /** Blocks of `runtime stack:` and `goroutine 0`: stacks of threads. */
  threads: OracleGoroutine[]
}

const header = /^goroutine (\d+)(?: gp=\S+ m=(?:nil|\d+ mp=\S+))? \[(.*?)\](?: \{(.*)\})?:$/
const location = /^\t(.*):(\d+)(?: \+(0x[0-9a-f]+))?(?: fp=(0x[0-9a-f]+) sp=(0x[0-9a-f]+) pc=(0x[0-9a-f]+))?$/
/** The first line of the registers that a signal's text ends with, amd64. */
const register = /^rax {4}0x/
const elision = /^\.\.\.(?:(\d+) frames|additional frames) elided\.\.\.$/

/** Reads a whole traceback; lines that belong to nothing are passed over. */
export function parseTraceback(text: string): Traceback {
  const lines = text.split('\n')
  const result: Traceback = { preamble: [], goroutines: new Map(), threads: [] }
  let at = 0
  while (at < lines.length && !startOf(lines[at]!)) result.preamble.push(lines[at++]!)
  while (at < lines.length) {
    const goroutine = startOf(lines[at]!)
    if (goroutine === undefined) at++
    else {
      at = readStack(lines, at + 1, goroutine)
      keep(result, goroutine)
    }
  }
  return result
}

function startOf(line: string): OracleGoroutine | undefined {
  if (line === 'runtime stack:') return empty(0, '')
  const match = header.exec(line)
  return match === null ? undefined : empty(Number(match[1]), match[2]!, match[3])
}

function empty(id: number, state: string, labels?: string): OracleGoroutine {
  return {
    id,
    state,
    ...(labels !== undefined && { labels }),
    frames: [],
    unavailable: false,
    notes: [],
    prints: 1,
  }
}

/** Reads frames up to the blank line that ends a stack; gives the index of the next line. */
function readStack(lines: string[], from: number, into: OracleGoroutine): number {
  let at = from
  for (; at < lines.length; at++) {
    const line = lines[at]!
    if (line === '' || register.test(line) || startOf(line)) break
    const elided = elision.exec(line)
    const place = location.exec(lines[at + 1] ?? '')
    if (line.startsWith('\tgoroutine running on other thread')) into.unavailable = true
    else if (elided)
      into.elided = {
        after: into.frames.length,
        ...(elided[1] !== undefined && { count: Number(elided[1]) }),
      }
    else if (place === null) into.notes.push(line)
    else {
      if (line.startsWith('created by ')) into.createdBy = readCreator(line, place)
      else into.frames.push(readFrame(line, place))
      at++
    }
  }
  return at
}

function readFrame(line: string, place: RegExpExecArray): OracleFrame {
  // The name may hold parentheses of its own, `main.(*cache).put(0x1)`, the arguments none.
  const open = line.lastIndexOf('(')
  const frame = {
    function: line.slice(0, open),
    args: line.slice(open + 1, line.lastIndexOf(')')),
    file: place[1]!,
    line: Number(place[2]),
  }
  if (place[6] === undefined) return { ...frame, inlined: true }
  return { ...frame, inlined: false, offset: Number(place[3] ?? 0), pc: place[6], sp: place[5]! }
}

function readCreator(line: string, place: RegExpExecArray): OracleCreator {
  const match = /^created by (.*?)(?: in goroutine (\d+))?$/.exec(line)!
  return {
    function: match[1]!,
    file: place[1]!,
    line: Number(place[2]),
    offset: Number(place[3] ?? 0),
    ...(match[2] !== undefined && { goroutine: Number(match[2]) }),
  }
}

function keep(result: Traceback, goroutine: OracleGoroutine): void {
  if (goroutine.id === 0) {
    result.threads.push(goroutine)
    return
  }
  const before = result.goroutines.get(goroutine.id)
  if (before === undefined || before.unavailable) result.goroutines.set(goroutine.id, goroutine)
  else if (!goroutine.unavailable)
    result.goroutines.set(goroutine.id, { ...goroutine, prints: before.prints + 1 })
}
