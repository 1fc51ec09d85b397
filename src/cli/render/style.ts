/** Colour, and what the renderers know of where their text goes. */
import { type InspectColor, styleText } from 'node:util'

export type Style = (text: string) => string

/** What a renderer needs to know of its surroundings. Plain data, so that tests can fix it. */
export interface Look {
  /** Columns; Infinity where nothing must be cut to fit, as in a file or a pipe. */
  readonly width: number
  readonly color: boolean
  /** Milliseconds since the epoch, for "2 min ago". */
  readonly now: number
}

export interface Palette {
  readonly bold: Style
  readonly dim: Style
  readonly bad: Style
  readonly warn: Style
  readonly good: Style
  readonly name: Style
}

/** Columns that text for people takes at most, however wide the terminal is. */
export const widest = 100

const plain: Style = text => text
const style =
  (...formats: InspectColor[]): Style =>
  text =>
    text === '' ? text : styleText(formats, text, { validateStream: false })

const colors: Palette = {
  bold: style('bold'),
  dim: style('dim'),
  bad: style('bold', 'red'),
  warn: style('yellow'),
  good: style('green'),
  name: style('cyan'),
}
const none: Palette = { bold: plain, dim: plain, bad: plain, warn: plain, good: plain, name: plain }

export const palette = (look: Look): Palette => (look.color ? colors : none)

/** Whether to colour: a terminal that has a name and is not dumb, and nobody who set NO_COLOR (no-color.org). */
export function wantsColor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  return stream.isTTY === true && !!env.TERM && env.TERM !== 'dumb'
}

/** The surroundings of standard output. COLUMNS overrides the terminal's own width. */
export function lookOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Look {
  const columns = Number(env.COLUMNS)
  const width = columns > 0 ? columns : stream.isTTY ? stream.columns || 80 : Number.POSITIVE_INFINITY
  return { width: Math.max(width, 40), color: wantsColor(stream, env), now: Date.now() }
}
