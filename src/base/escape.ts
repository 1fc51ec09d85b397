/**
 * Text that a crashed program chose – its name, its arguments, its paths – made safe to store and print: control
 * characters forge log lines and drive terminals (CVE-2026-54231), and so do the marks that turn the direction of writing.
 */

/** C0, DEL and C1 controls, line and paragraph separators, direction marks, the byte order mark, and the backslash. */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\\]/gu

/**
 * The text of `bytes`, with everything that isn't printable UTF-8 as `\xNN`, and so is the backslash itself: what is
 * escaped can be told. At most `max` bytes are read; a `…` marks that there were more.
 */
export function escapeBytes(bytes: Uint8Array, max = 4096): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, max))
  let text = buffer.toString('utf8')
  // U+FFFD stands for invalid bytes, or for itself; only a round trip tells.
  if (text.includes('\ufffd') && !Buffer.from(text).equals(buffer)) text = escapeInvalid(buffer)
  else text = text.replace(unsafe, hexOf)
  return bytes.length > max ? `${text}…` : text
}

/** Text that is escaped where it must be, in a place where nothing of it may break a line: whatever else is unsafe is a blank. */
export const onOneLine = (text: string): string => replaceUnsafe(text, () => ' ')

/** Text of a report, which holds what the program said: unsafe characters as `\xNN`, and the backslash as it is. */
export const visibleText = (text: string): string => replaceUnsafe(text, hexOf)

const replaceUnsafe = (text: string, by: (character: string) => string): string =>
  text.replace(unsafe, character => (character === '\\' ? character : by(character)))

const hexOf = (character: string): string =>
  [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

function escapeInvalid(buffer: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  for (let at = 0; at < buffer.length; ) {
    const lead = buffer[at]!
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
    try {
      text += decoder.decode(buffer.subarray(at, at + length)).replace(unsafe, hexOf)
      at += length
    } catch {
      text += `\\x${lead.toString(16).padStart(2, '0')}`
      at++
    }
  }
  return text
}

export const escapeText = (text: string, max?: number): string => escapeBytes(Buffer.from(text), max)
