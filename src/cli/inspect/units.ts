/** One unit of memory in GDB's formats (print_scalar_formatted); values are little endian. */

/** GDB's format letters for units; `s` and `i` have no fixed size. */
export type Letter = 'x' | 'z' | 'd' | 'u' | 'o' | 't' | 'a' | 'c' | 'f' | 's' | 'i'
export type Size = 1 | 2 | 4 | 8

/** As many as GDB puts on a line. */
export function unitsPerLine(letter: Letter, size: Size): number {
  if (letter === 'a') return 2
  return { 1: 8, 2: 8, 4: 4, 8: 2 }[size]
}

/** `symbolOf` names an address: `main.main+12`. */
export function unitText(
  bytes: Uint8Array,
  letter: Letter,
  symbolOf: (addr: number) => string | undefined,
): string {
  const bits = bytes.length * 8
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  const signed = BigInt.asIntN(bits, value)
  switch (letter) {
    case 'd':
      return String(signed)
    case 'u':
      return String(value)
    case 'o':
      return value === 0n ? '0' : `0${value.toString(8)}`
    case 't':
      return value.toString(2).padStart(bits, '0')
    case 'a': {
      const name = symbolOf(Number(value))
      return `0x${value.toString(16)}${name === undefined ? '' : ` <${name}>`}`
    }
    case 'c':
      return `${signed} ${charText(Number(value & 0xffn))}`
    case 'f':
      return floatText(bytes, signed)
    default:
      return `0x${value.toString(16).padStart(bytes.length * 2, '0')}`
  }
}

function floatText(bytes: Uint8Array, signed: bigint): string {
  const buffer = Buffer.from(bytes)
  if (bytes.length !== 8 && bytes.length !== 4) return String(signed)
  const [value, digits, fraction] =
    bytes.length === 8 ? [buffer.readDoubleLE(), 17, 52] : [buffer.readFloatLE(), 9, 23]
  if (!Number.isNaN(value)) return cFloat(value, digits)
  return `${signed < 0n ? '-' : ''}nan(0x${BigInt.asUintN(fraction, signed).toString(16)})`
}

/** C's `%.*g`. */
function cFloat(value: number, digits: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < digits)
    return value
      .toFixed(Math.max(0, digits - 1 - exponent))
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  const sign = exponent < 0 ? '-' : '+'
  return `${mantissa.replace(/\.?0+$/, '')}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}

const escapes: Readonly<Record<number, string>> = {
  ...{ 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 27: '\\033' },
  ...{ 39: "\\'", 92: '\\\\' },
}

function charText(code: number): string {
  const text = escapes[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : undefined)
  return `'${text ?? `\\${code.toString(8).padStart(3, '0')}`}'`
}
