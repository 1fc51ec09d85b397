/** Numbers and texts as Go prints them: `%q` of strings, the shortest decimal of floats without an exponent. */

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u
const escapes: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
}

/** As strconv.Quote: bytes that are not UTF-8 are `\xNN`, what is not printable `\uNNNN`. `more` is put before the closing quote. */
export function quote(bytes: Uint8Array, more = ''): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const { point, size } = decode(bytes, at)
    if (point === undefined) text += `\\x${hex(bytes[at]!, 2)}`
    else text += escapes[point] ?? printed(point)
    at += size
  }
  return `"${text}${more}"`
}

function printed(point: number): string {
  const character = String.fromCodePoint(point)
  if (point === 32 || printable.test(character)) return character
  if (point < 32 || point === 127) return `\\x${hex(point, 2)}`
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`
}

/** The character at `at`; no `point` for a byte that begins none. */
function decode(bytes: Uint8Array, at: number): { point?: number; size: number } {
  const first = bytes[at]!
  if (first < 0x80) return { point: first, size: 1 }
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return { size: 1 }
  let point = first & (0xff >> (size + 1))
  for (let i = 1; i < size; i++) {
    const next = bytes[at + i]!
    if ((next & 0xc0) !== 0x80) return { size: 1 }
    point = (point << 6) | (next & 0x3f)
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][size]!
  const surrogate = point >= 0xd800 && point < 0xe000
  return point < least || point > 0x10ffff || surrogate ? { size: 1 } : { point, size }
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

/** strconv.FormatFloat(value, 'f', -1, bits): the fewest digits that give the same float, no exponent. */
export function decimal(value: number, bits: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const shortest = bits === 32 ? shortestSingle(value) : String(value)
  const [mantissa = '', exponent = '0'] = shortest.split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function shortestSingle(value: number): string {
  for (let precision = 1; precision < 9; precision++) {
    const text = value.toExponential(precision - 1)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(8)
}
