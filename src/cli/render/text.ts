/** Measuring and cutting text by the columns that it takes on a terminal. */
import columns from './width.ts'

export { columns }

/** At most `width` columns of unstyled text; what is cut ends (or with `from: 'start'` begins) in an ellipsis. */
export function cut(text: string, width: number, from: 'end' | 'start' = 'end'): string {
  if (columns(text) <= width) return text
  if (width <= 1) return width === 1 ? '…' : ''
  const chars = [...text]
  const keep: string[] = []
  let used = 1
  for (let i = 0; i < chars.length; i++) {
    const char = from === 'end' ? chars[i]! : chars[chars.length - 1 - i]!
    used += columns(char)
    if (used > width) break
    keep.push(char)
  }
  return from === 'end' ? `${keep.join('')}…` : `…${keep.reverse().join('')}`
}

export const padEnd = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - columns(text)))
export const padStart = (text: string, width: number): string =>
  ' '.repeat(Math.max(0, width - columns(text))) + text

/** Breaks unstyled text at spaces into lines of at most `width` columns; words that are longer stand alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && columns(line) + 1 + columns(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '' || lines.length === 0) lines.push(line)
  return lines
}

/** `100 000`: thousands set apart. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ' ')

/** `1 goroutine`, `2 goroutines`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${grouped(n)} ${n === 1 ? one : many}`
