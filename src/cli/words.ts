/**
 * The words of crashes that the catalog has none of, since more people read it than may read their dumps: whoever may read
 * the report gets them from there.
 */
import type { Catalog, CrashRow, SignatureRow } from '../catalog/catalog.ts'
import type { Site } from './site.ts'

/** The row with what its report says, where it is one of those and the report can be read. */
export async function withWords(site: Pick<Site, 'store'>, row: CrashRow): Promise<CrashRow> {
  if (row.analysis !== 'done' || row.cause !== null) return row
  const { parseReport, rowOf } = await import('../daemon/index.ts')
  try {
    const report = parseReport(site.store.readReport(row)!, 'report.json')
    const entry = { ...row, manifest: site.store.readManifest(row) }
    const { cause, causeAt, signatureText, programVersion } = rowOf(entry, { report, pinned: false }).row
    return { ...row, cause, causeAt, signatureText, programVersion }
  } catch {
    // Not for us to read.
    return row
  }
}

/** The same of a list. */
export const allWithWords = (site: Pick<Site, 'store'>, rows: readonly CrashRow[]): Promise<CrashRow[]> =>
  Promise.all(rows.map(row => withWords(site, row)))

/** The same of signatures, by their latest crash. */
export function signaturesWithWords(
  site: Pick<Site, 'store'>,
  catalog: Catalog,
  rows: readonly SignatureRow[],
): Promise<SignatureRow[]> {
  return Promise.all(
    rows.map(async signature => {
      const latest = signature.text === '' ? catalog.get(signature.latestId) : undefined
      return latest === undefined
        ? signature
        : { ...signature, text: (await withWords(site, latest)).signatureText ?? '' }
    }),
  )
}
