/**
 * Taking secrets out of texts that a manifest or report carries. A pattern is a text in which `*` stands for the secret:
 * whatever is no white space, up to the text that follows in the pattern or the end of the word. Matching goes forward
 * only and never tries again, so that a pattern costs the same on any text: there is no expression that a hostile command
 * line could keep busy. The literal parts stay, so that a reader sees what was there.
 */
import { escapeText } from './escape.ts'

/** Stands in the place of what was taken out. */
export const removed = '…'

const mostPattern = 256

/** Answers the pattern. Throws an Error that says what is wrong with it. */
export function parseRedaction(pattern: string): string {
  if (pattern.length > mostPattern) throw new Error(`a pattern has at most ${mostPattern} characters`)
  if (/[\u0000-\u001f\u007f]/.test(pattern)) throw new Error('a pattern holds no control characters')
  const [first, ...rest] = pattern.split('*')
  if (first!.trim().length < 2)
    throw new Error(`${JSON.stringify(pattern)} must begin with two characters or more that are no *`)
  if (rest.slice(0, -1).includes('')) throw new Error(`${JSON.stringify(pattern)} has two * side by side`)
  return pattern
}

export type Redaction = (text: string) => string

/**
 * Up to the last `@` before a slash, as net/url has it. A slash ends each attempt, and each begins with two; `\0` stands
 * between two arguments.
 */
const urlPassword = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^:/?#\s@\0]{0,256}):[^/\s\0]*@/gi

/** What takes out everything that fits one of the patterns, and the passwords of URLs. Letters' case does not matter. */
export function compileRedactions(patterns: readonly string[]): Redaction {
  // Command lines come escaped, reports as they are.
  const spelt = new Set(patterns.flatMap(pattern => [pattern, escapeText(pattern)]))
  const compiled = [...spelt].map(pattern => lowered(pattern).split('*'))
  return text => {
    let rest = text.replace(urlPassword, `$1:${removed}@`)
    let low = lowered(rest)
    for (const parts of compiled) {
      if (!low.includes(parts[0]!)) continue
      rest = redactOne(rest, low, parts)
      low = lowered(rest)
    }
    return rest
  }
}

/** Small letters, and a blank between two arguments. A letter that would get another length stays as it is. */
function lowered(text: string): string {
  const ascii = text.replace(/[A-Z\0]+/g, letters => letters.replaceAll(boundary, ' ').toLowerCase())
  return ascii.replace(/\p{Lu}/gu, letter => {
    const low = letter.toLowerCase()
    return low.length === letter.length ? low : letter
  })
}

/** Stands between two arguments; escaped ones hold no such byte. */
const boundary = '\0'

/** Command lines: a space in a pattern also stands between two arguments (`-token *`), and a secret may hold spaces. */
export function redactArguments(args: readonly string[], redact: Redaction): string[] {
  if (args.some(argument => argument.includes(boundary))) return args.map(redact)
  return redact(args.join(boundary)).split(boundary)
}

/** A value that lies apart from its name, as an environment's variables: what `NAME=value` would lose as an argument. */
export function redactNamed(name: string, value: string, redact: Redaction): string {
  const text = `${name}=${value}`
  const [safe] = redactArguments([text, ''], redact) as [string]
  if (safe === text) return value
  return safe.startsWith(`${name}=`) ? safe.slice(name.length + 1) : removed
}

/** `low`: the text, `parts`: the literal texts of a pattern, with a secret between each two; both in small letters. */
function redactOne(text: string, low: string, parts: readonly string[]): string {
  const ends = text.includes(boundary) ? /\0/g : /\s/g
  const nextPart = new Map(parts.map(part => [part, onward(from => low.indexOf(part, from))]))
  const wordEnd = onward(from => {
    ends.lastIndex = from
    return ends.exec(text)?.index ?? -1
  })
  let result = ''
  let done = 0
  for (let at = low.indexOf(parts[0]!); at >= 0; at = low.indexOf(parts[0]!, at)) {
    const match = matchFrom(at, parts, (part, from) => {
      const end = Math.min(wordEnd(from), text.length)
      const found = part === '' ? end : nextPart.get(part)!(from)
      return found <= end ? found : -1
    })
    for (const [start, end] of match?.secrets ?? []) {
      result += `${text.slice(done, start)}${removed}`
      done = end
    }
    at = Math.max(match?.end ?? 0, at + 1)
  }
  return result + text.slice(done)
}

/** A search that is asked from ever greater places, most of which have the same answer: nothing is looked through twice. */
function onward(search: (from: number) => number): (from: number) => number {
  let since = Number.POSITIVE_INFINITY
  let found = -1
  return from => {
    if (from < since || from > found) {
      since = from
      const at = search(from)
      found = at < 0 ? Number.POSITIVE_INFINITY : at
    }
    return found
  }
}

interface Match {
  readonly secrets: readonly (readonly [start: number, end: number])[]
  readonly end: number
}

/** `endOf`: where the secret ends that begins at `from` and has `part` behind it; -1 where there is none. */
function matchFrom(
  start: number,
  [first, ...rest]: readonly string[],
  endOf: (part: string, from: number) => number,
): Match | undefined {
  let at = start + first!.length
  // A pattern without * is the secret itself.
  if (rest.length === 0) return { secrets: [[start, at]], end: at }
  const secrets: [number, number][] = []
  for (const part of rest) {
    const end = endOf(part, at)
    if (end <= at) return undefined
    secrets.push([at, end])
    at = end + part.length
  }
  return { secrets, end: at }
}

/** Keys of an object that redaction treats in their own way. */
export interface RedactionKeys {
  /** Of words that are this program's own, and stay: no secret is among them, and readers go by them. */
  readonly own?: readonly string[]
  /** Of objects whose keys are names that the crashed program chose for their values. */
  readonly named?: readonly string[]
}

/** A copy of plain data with every string redacted; keys stay. */
export function redactDeep<T>(value: T, redact: Redaction, { own = [], named = [] }: RedactionKeys = {}): T {
  const copy = (value: unknown, key: string, depth: number): unknown => {
    if (typeof value === 'string') return own.includes(key) ? value : redact(value)
    if (typeof value !== 'object' || value === null || depth > mostDepth) return value
    if (Array.isArray(value)) return value.map(item => copy(item, '', depth + 1))
    const copyOf = (name: string, item: unknown): unknown => {
      if (!named.includes(key)) return copy(item, name, depth + 1)
      return typeof item === 'string' ? redactNamed(name, item, redact) : copy(item, '', depth + 1)
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copyOf(name, item)]))
  }
  return copy(value, '', 0) as T
}

const mostDepth = 64
