/** The catalog that lived through everything, held against one made anew: all columns of all rows, and their texts. */
import { writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { openCatalog } from '../../src/catalog/index.ts'
import { reindex } from './product.ts'
import type { Tally } from './tally.ts'
import type { Trial } from './trial.ts'

export async function compareCatalogs(trial: Trial, tally: Tally): Promise<void> {
  const path = trial.bed.path('state/catalog.db')
  const anew = openCatalog(trial.bed.path('anew.db'))
  await reindex(trial.store, anew)
  anew.close()
  const [a, b] = [rowsOf(path), rowsOf(trial.bed.path('anew.db'))]
  const problems = checkOf(path)
  if (a === b && problems.length === 0) return
  writeFileSync('/tmp/gocore-faults-lived.json', a)
  writeFileSync('/tmp/gocore-faults-anew.json', b)
  tally.wrong++
  tally.why.push(
    `the catalog that lived through it differs from one made anew (/tmp/gocore-faults-*.json) ${problems.join('; ')}`,
  )
}

/** Everything but the keys, which count from the first row that ever was. */
function rowsOf(path: string): string {
  const db = new Database(path, { readonly: true })
  try {
    const rows = db
      .prepare('SELECT * FROM crash LEFT JOIN crash_text ON crash_text.key = crash.key ORDER BY id')
      .all() as { key: number }[]
    return JSON.stringify(
      rows.map(({ key: _, ...row }) => row),
      undefined,
      1,
    )
  } finally {
    db.close()
  }
}

function checkOf(path: string): string[] {
  const catalog = openCatalog(path)
  try {
    return catalog.check()
  } finally {
    catalog.close()
  }
}
