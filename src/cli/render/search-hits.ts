/** Search hits: one line that says which crash, one with the place in its text. */
import type { CrashRow } from '../../catalog/catalog.ts'
import { type Look, palette } from './style.ts'
import { cut } from './text.ts'
import { formatAge } from './units.ts'

export function* hitLines(
  hits: readonly (CrashRow & { snippet: string })[],
  look: Look,
  options: { idWidth: number; cause: (row: CrashRow) => string },
): Generator<string> {
  const paint = palette(look)
  for (const hit of hits) {
    const name = hit.exe.split('/').at(-1) || hit.comm
    const head = `${formatAge(look.now - hit.time)} ago  ${hit.host}  ${name}`
    const id = hit.id.slice(0, options.idWidth)
    yield `${paint.name(id)}  ${paint.bold(head)}  ${cut(options.cause(hit), Math.max(20, look.width - head.length - id.length - 4))}`
    const snippet = hit.snippet.replace(/\s+/g, ' ').trim()
    if (snippet !== '' && !options.cause(hit).includes(snippet))
      yield paint.dim(
        `${' '.repeat(options.idWidth)}  ${cut(snippet, Math.max(20, look.width - options.idWidth - 2))}`,
      )
  }
}
