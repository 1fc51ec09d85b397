/**
 * Columns that text takes on a terminal: East Asian wide characters two, combining marks none (UAX #11). The build puts
 * it in the place of string-width inside yargs, too: that one prepares itself for every emoji when it is loaded, which
 * takes longer than all of `ls`.
 */
import { stripVTControlCharacters } from 'node:util'
import { eastAsianWidth } from 'get-east-asian-width'

const ascii = /^[\x20-\x7e]*$/
const unseen = /[\p{Mark}\p{Cf}\p{Cc}]/u

/** Escape sequences take no columns. */
export default function width(text: string): number {
  if (ascii.test(text)) return text.length
  let columns = 0
  for (const char of stripVTControlCharacters(text))
    columns += char <= '~' ? 1 : unseen.test(char) ? 0 : eastAsianWidth(char.codePointAt(0)!)
  return columns
}
