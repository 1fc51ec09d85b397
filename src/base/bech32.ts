/** The checksum of Bech32 (BIP 173): a text that was mistyped in up to four places never passes. */

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** Of a text in lower case, `1` between its human-readable part and its data. */
export function isBech32(text: string): boolean {
  const end = text.lastIndexOf('1')
  const prefix = [...text.slice(0, end)].map(letter => letter.charCodeAt(0))
  const data = [...text.slice(end + 1)].map(letter => letters.indexOf(letter))
  if (end < 1 || data.length < 6 || data.includes(-1)) return false
  const values = [...prefix.map(code => code >> 5), 0, ...prefix.map(code => code & 31), ...data]
  const sum = values.reduce((sum, value) => {
    const shifted = ((sum & 0x1ffffff) << 5) ^ value
    return generator.reduce(
      (mixed, word, i) => (((sum >> (25 + i)) & 1) === 1 ? mixed ^ word : mixed),
      shifted,
    )
  }, 1)
  return sum === 1
}
