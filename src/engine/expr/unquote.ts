/** String and rune literals as Go writes them (spec, "Rune literals", "String literals"), and what they mean. */

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

const escapes =
  /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]?))/g

/** The text of a literal with its quotes; undefined where an escape is none of Go's. */
export function unquote(literal: string): string | undefined {
  const inside = literal.slice(1, -1)
  if (literal.startsWith('`')) return inside.replaceAll('\r', '')
  if (!inside.includes('\\')) return inside
  let sound = true
  // Bytes that \x and octal escapes name are put together: they may be UTF-8 between them.
  const parts: Uint8Array[] = []
  let last = 0
  const add = (text: string): number => parts.push(new TextEncoder().encode(text))
  for (const match of inside.matchAll(escapes)) {
    add(inside.slice(last, match.index))
    last = match.index + match[0].length
    const [, letter, hex, octal, short, long] = match
    const code = Number.parseInt(short ?? long ?? '0', 16)
    if (letter !== undefined) add(simple[letter]!)
    else if (hex !== undefined) parts.push(Uint8Array.of(Number.parseInt(hex, 16)))
    else if (octal !== undefined && Number.parseInt(octal, 8) < 256)
      parts.push(Uint8Array.of(Number.parseInt(octal, 8)))
    else if ((short ?? long) !== undefined && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000))
      add(String.fromCodePoint(code))
    else sound = false
  }
  add(inside.slice(last))
  if (!sound) return undefined
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
