/**
 * Where the engine's answer is other than dlv's and the better one: each rule with what dlv does, and why ours is right.
 * A rule is as narrow as it can be: with the difference that it names taken away, the answers are equal.
 */

export interface Rule {
  readonly why: string
  applies(dlv: string, ours: string): boolean
}

const isError = (text: string): boolean => text.startsWith('error: ')
/** Texts in which both sides show the same but for what a pattern matches. */
const equalBut = (pattern: RegExp, dlv: string, ours: string): boolean =>
  dlv.replaceAll(pattern, '') === ours.replaceAll(pattern, '')

const lost =
  /could not find loclist entry|empty OP stack|could not find symbol|no location|value not available|index out of bounds|operation not supported/

export const rules: readonly Rule[] = [
  {
    why: 'optimised out is said so: dlv prints the reason of its reader (no loclist entry, empty OP stack)',
    applies: (dlv, ours) =>
      dlv.startsWith('(unreadable ') && lost.test(dlv) && ours.includes('optimized out'),
  },
  {
    why: 'a value that the compiler moved is found (caller-saved slots, entry values): dlv has none',
    applies: (dlv, ours) =>
      ((dlv.startsWith('(unreadable ') && lost.test(dlv)) || /could not find symbol value/.test(dlv)) &&
      !isError(ours),
  },
  {
    why: 'a type that debug information lacks is read from its descriptor: dlv "could not resolve interface type"',
    applies: (dlv, ours) =>
      /could not resolve interface type/.test(dlv) && !isError(ours) && !ours.includes('(unreadable'),
  },
  {
    why: 'maps whose keys have no size are read: dlv "inconsistent array length in bucket"',
    applies: (dlv, ours) => /inconsistent array length in bucket/.test(dlv) && !ours.includes('unreadable'),
  },
  {
    why: 'negative zero: dlv prints 0',
    applies: (dlv, ours) => dlv === ours.replaceAll(/(?<![\w.])-0(?![\w.])/g, '0'),
  },
  {
    why: 'infinities within complex numbers: dlv prints 0',
    applies: (dlv, ours) =>
      /\([+-]Inf \+ |\+ [+-]Infi\)|NaN/.test(ours) && equalBut(/\([-+\w.]+ \+ [-+\w.]+i\)/g, dlv, ours),
  },
  {
    why: "a time's zone is the process's own: dlv asks the debugger's machine by name, and takes UTC where it has none",
    applies: (dlv, ours) => dlv !== ours && equalBut(/time\.Time\([^)]*\)/g, dlv, ours),
  },
  {
    why: 'of several constants of one value and type the first declared is shown: dlv shows any, also of other packages',
    applies: (dlv, ours) =>
      equalBut(/(?:\w+\/)*(?:\w+\.)?\w+(?= \(\d+\))|(?<=\])struct (?=struct )/g, dlv, ours),
  },
]
