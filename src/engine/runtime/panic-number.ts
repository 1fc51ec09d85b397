/**
 * Floating-point numbers as the runtime's own `print` writes them, which is not how fmt does. Up to Go 1.25 there are
 * seven digits and a three-digit exponent, by the arithmetic of runtime/print.go printfloat, rounding errors included;
 * since Go 1.26 it is strconv's shortest 'g'.
 */

export interface FloatStyle {
  /** Go 1.26 and later. */
  readonly shortest: boolean
}

export function printFloat(value: number, bits: 32 | 64, { shortest }: FloatStyle): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return shortest ? formatShortest(value, bits) : formatSevenDigits(value)
}

/** `bits` of the whole: complex64 has two 32-bit halves. */
export function printComplex(real: number, imag: number, bits: 64 | 128, style: FloatStyle): string {
  const half = bits === 64 ? 32 : 64
  const [re, im] = [printFloat(real, half, style), printFloat(imag, half, style)]
  return `(${re}${style.shortest && !/^[+-]/.test(im) ? '+' : ''}${im}i)`
}

function formatSevenDigits(value: number): string {
  const digits = 7
  let v = Math.abs(value)
  let exponent = 0
  if (v !== 0) {
    for (; v >= 10; v /= 10) exponent++
    for (; v < 1; v *= 10) exponent--
    let half = 5
    for (let i = 0; i < digits; i++) half /= 10
    v += half
    if (v >= 10) {
      exponent++
      v /= 10
    }
  }
  let text = ''
  for (let i = 0; i < digits; i++) {
    const digit = Math.trunc(v)
    text += digit
    v = (v - digit) * 10
  }
  const sign = value < 0 || Object.is(value, -0) ? '-' : '+'
  const power = String(Math.abs(exponent)).padStart(3, '0')
  return `${sign}${text[0]}.${text.slice(1)}e${exponent < 0 ? '-' : '+'}${power}`
}

/** strconv.FormatFloat(v, 'g', -1, bits): an exponent below -4 or of 6 and more is written as one. */
function formatShortest(value: number, bits: 32 | 64): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa, power] = shortestDigits(Math.abs(value), bits).split('e') as [string, string]
  const digits = mantissa.replace('.', '')
  const exponent = Number(power)
  const sign = value < 0 ? '-' : ''
  if (exponent < -4 || exponent >= 6)
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const rest = digits.slice(exponent + 1)
  return `${sign}${whole}${rest ? `.${rest}` : ''}`
}

/** `d.ddde±x` with the fewest digits that read back as the same number. */
function shortestDigits(value: number, bits: 32 | 64): string {
  if (bits === 64) return value.toExponential()
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits)
    if (Math.fround(Number(text)) === Math.fround(value)) return text
  }
  return value.toExponential(9)
}
