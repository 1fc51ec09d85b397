/** Signatures as a table: how often, when, where, what. */
import type { SignatureRow } from '../../catalog/catalog.ts'
import { type Look, palette } from './style.ts'
import { table } from './table.ts'
import { formatAge } from './units.ts'

export function* signatureTable(rows: readonly SignatureRow[], look: Look): Generator<string> {
  const paint = palette(look)
  yield* table(
    rows,
    [
      { title: 'COUNT', cell: row => String(row.count), align: 'right', style: () => paint.bold },
      { title: 'LAST', cell: row => formatAge(look.now - row.last), align: 'right', drop: 1 },
      { title: 'FIRST', cell: row => formatAge(look.now - row.first), align: 'right', drop: 3 },
      { title: 'HOSTS', cell: row => String(row.hosts), align: 'right', drop: 4 },
      { title: 'PROGRAM', cell: row => row.programs.join(', '), shrink: 2, least: 10 },
      { title: 'SIGNATURE', cell: row => row.key, style: () => paint.name },
      { title: 'LATEST', cell: row => row.latestId.slice(0, 6), drop: 2, style: () => paint.name },
      { title: 'WHAT', cell: what, shrink: 3, least: 36 },
    ],
    look,
  )
}

/** The signature's text begins with the kind of death, which the message says as well. */
const what = ({ text }: SignatureRow): string => text.replaceAll('\n', ' ').replace(/^\w+ \| /, '')
