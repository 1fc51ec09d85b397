/** `reindex`: the catalog anew from the archive. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { Exit } from '../render/exit.ts'
import { sayTo } from '../render/output.ts'
import { startProgress } from '../render/progress.ts'
import { count } from '../render/text.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('reindex')

export const builder = define({
  examples: [['gocore-sink reindex', 'nothing is lost when the catalog is']],
})

export async function handler(argv: GlobalArgs): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { catalogFile } = await import('../catalog-access.ts')
  const { presentStore } = await import('../find-dump.ts')
  const { openCatalog } = await import('../../catalog/index.ts')
  const { reindex } = await import('../../daemon/index.ts')
  using site = openSite(argv)
  const complain = sayTo(2)
  const store = presentStore(site)
  const catalog = openCatalog(catalogFile(site), { onRebuilt: complain })
  try {
    using progress = startProgress('reading the archive', { format: n => `${n} days` })
    let unlisted = 0
    const result = await reindex(
      store,
      catalog,
      (done, of) => progress.update(done, of),
      (_, error) => {
        unlisted++
        complain(`${error.message}; left its rows as they were`)
      },
    )
    for (const { ref, reason } of result.broken) complain(`Left out ${ref.id}: ${reason}`)
    const { added, changed, removed } = result
    sayTo(1)(
      added + changed + removed === 0
        ? 'The catalog agreed with the archive.'
        : `The catalog agrees with the archive again: ${count(added, 'crash', 'crashes')} added, ${changed} changed, ${removed} removed.`,
    )
    if (result.broken.length + unlisted > 0) process.exitCode = Exit.findings
  } finally {
    catalog.close()
  }
}
