/**
 * The one place where text of dumps becomes safe to print. Thread names, paths, command lines, panic messages and
 * function names are chosen by whoever wrote the crashed program: printed raw they could move the cursor, retitle the
 * terminal, forge rows of a table or turn text around. Whatever comes out of an archive or an engine goes through
 * `fromDump` once, before any renderer sees it.
 */

/**
 * What is not printed as it is:
 * - C0 controls, DEL and C1 controls (ECMA-48; U+009B starts an escape sequence on some terminals),
 * - soft hyphen, zero-width and joining characters, byte order mark: invisible, they make two names look equal,
 * - bidirectional marks, embeddings, overrides and isolates (UAX #9; "Trojan Source"),
 * - line and paragraph separators, interlinear annotations, tags, variation selectors' supplement, noncharacters,
 * - lone surrogates: what is left of invalid text.
 */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]|[\u{e0000}-\u{e0fff}]|\p{Cs}/gu

const letters: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

function escaped(char: string): string {
  const code = char.codePointAt(0)!
  return (
    letters[char] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`)
  )
}

/** Nearly all text is; to see that costs a fraction of the search for what is not. */
const plain = /^[ -~]*$/

/** One line of printable text: controls become visible escapes. */
export function printable(text: string): string {
  return plain.test(text) ? text : text.replace(unsafe, escaped)
}

/** The same, with line breaks kept and tabs as four spaces: for texts that are several lines by nature. */
export function printableLines(text: string): string {
  if (plain.test(text)) return text
  return text.replace(unsafe, char => (char === '\n' ? char : char === '\t' ? '    ' : escaped(char)))
}

/** Keys whose texts may hold several lines; the renderers that print them split at the breaks. */
const severalLines = new Set([
  'message',
  'printed',
  'text',
  'verdict',
  'lines',
  'status',
  'limits',
  'mappings',
  'snippet',
])

/** Keys of objects whose keys were chosen by the crashed program, in whose mouth `message` is a word like any other. */
const freeKeys = new Set(['environ', 'labels', 'settings'])

/** A copy of plain data in which every string, and every key, is printable. */
export function fromDump<T>(value: T): T {
  return copy(value, '') as T
}

function copy(value: unknown, key: string): unknown {
  if (typeof value === 'string') return severalLines.has(key) ? printableLines(value) : printable(value)
  if (Array.isArray(value)) return value.map(item => copy(item, key))
  if (typeof value === 'object' && value !== null)
    return copyObject(value as Record<string, unknown>, freeKeys.has(key))
  return value
}

/** A hundred thousand goroutines have a million frames, so without lists of pairs in between. */
function copyObject(value: Record<string, unknown>, isFree: boolean): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const item = copy(value[name], isFree ? '' : name)
    // Set, this one would be the prototype.
    if (name === '__proto__') Object.defineProperty(result, name, { value: item, enumerable: true })
    else result[printable(name)] = item
  }
  return result
}

/** JSON of one value on one line; control and format characters that JSON would pass raw are written as `\uXXXX`. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.replace(unsafe, char =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
