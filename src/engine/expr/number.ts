/** Number literals of Go (spec, "Integer literals", "Floating-point literals"). */

/** The value of an integer literal that the lexer found sound: `0x_ff`, `0b1`, `0o17`, `017`, `1_000`. */
export function parseIntLiteral(text: string): bigint {
  const digits = text.replaceAll('_', '')
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`)
  return BigInt(digits)
}

/** The value of a floating-point literal, hexadecimal ones included: `0x1p-2` is 0.25; Infinity where it is too large. */
export function parseFloatLiteral(text: string): number {
  const digits = text.replaceAll('_', '').toLowerCase()
  const hex = /^0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/.exec(digits)
  if (!hex) return Number(/^0[bo]/.test(digits) ? BigInt(digits) : digits)
  const [, whole = '', fraction = '', exponent = '0'] = hex
  return Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
}
