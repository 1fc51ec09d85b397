/** Vector and x87 registers as dlv prints them: the whole, and as integers and floats of each size. */

/** Of 16, 32 or 64 bytes; the upper halves on lines of their own. */
export function sseText(index: number, bytes: Uint8Array): string {
  const part = (at: number): string => laneText(bytes.subarray(at, at + 16))
  const lines = [part(0)]
  if (bytes.length >= 32) lines.push(`\t[YMM${index}h] ${part(16)}`)
  if (bytes.length >= 64) lines.push(`\t[ZMM${index}hl] ${part(32)}`, `\t[ZMM${index}hh] ${part(48)}`)
  return lines.join('\n')
}

function laneText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes)
  const words = (size: number): string =>
    Array.from({ length: 16 / size }, (_, i) =>
      Buffer.from(buffer.subarray(i * size, (i + 1) * size))
        .reverse()
        .toString('hex'),
    ).join(' ')
  const floats = [0, 4, 8, 12].map(at => goFloat(buffer.readFloatLE(at), 32)).join(' ')
  return [
    `0x${Buffer.from(buffer).reverse().toString('hex')}`,
    `v2_int={ ${words(8)} }`,
    `v4_int={ ${words(4)} }`,
    `v8_int={ ${words(2)} }`,
    `v16_int={ ${words(1)} }`,
    `v2_float={ ${[0, 8].map(at => goFloat(buffer.readDoubleLE(at), 64)).join(' ')} }`,
    `v4_float={ ${floats} }`,
  ].join('\t')
}

/** The 80 bits and the number that they are, as near as 64 bits come to it. */
export function x87Text(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes)
  const mantissa = buffer.readBigUInt64LE(0)
  const top = buffer.readUInt16LE(8)
  const sign = (top & 0x8000) === 0 ? 1 : -1
  const exponent = top & 0x7fff
  let value = sign * (Number(mantissa) / 2 ** 63) * 2 ** Math.max(-1074, exponent - 16383)
  if (exponent === 0x7fff)
    value = mantissa << 1n === 1n << 64n || mantissa << 1n === 0n ? sign * Infinity : NaN
  else if (mantissa === 0n) value = sign * 0
  return `0x${Buffer.from(buffer).reverse().toString('hex')}\t${goFloat(value, 64)}`
}

/** Go's `%g`: the fewest digits that give the number back, with an exponent below 1e-4 and from 1e21 on. */
export function goFloat(value: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = bits === 64 ? value.toExponential() : shortest32(value)
  const [mantissa, power] = digits.split('e') as [string, string]
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 21)
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return plainDigits(mantissa, exponent)
}

function shortest32(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, 'e')
  }
  return value.toExponential()
}

function plainDigits(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const rest = digits.slice(exponent + 1)
  return sign + whole + (rest === '' ? '' : `.${rest}`)
}
