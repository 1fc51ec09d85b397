/** The daemon beside a trial: started, ended, waited for, and its catalog held against the archive. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/index.ts'
import { sleep } from './fault.ts'
import { reindex, syncCatalog } from './product.ts'
import type { Tally } from './tally.ts'
import type { Trial } from './trial.ts'

const daemonMain = join(import.meta.dirname, '../../src/daemon/main.ts')

export function startDaemon(config: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', daemonMain, '--config', config],
    {
      ...{ stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH ?? '', ...env } },
    },
  )
  child.stderr!.resume()
  return child
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}

/** Until the spool is empty and nothing is pending, or for half a minute. */
export async function settled(trial: Trial): Promise<void> {
  for (let n = 0; n < 150; n++) {
    await sleep(200)
    const spooled = [...trial.spool.list()].length
    try {
      const catalog = openCatalog(trial.bed.path('state/catalog.db'), { readonly: true })
      const pending = catalog.list({ analysis: 'pending' }).length
      const listed = catalog.list({}).length
      catalog.close()
      if (spooled === 0 && pending === 0 && listed >= [...trial.store.list()].length) return
    } catch {
      // Not made yet.
    }
  }
}

/** Holds the catalog that lived through it against one made anew. */
export async function compareCatalogs(trial: Trial, tally: Tally): Promise<void> {
  const lived = openCatalog(trial.bed.path('state/catalog.db'))
  await syncCatalog(trial.store, lived)
  const anew = openCatalog(trial.bed.path('anew.db'))
  await reindex(trial.store, anew)
  const rows = (catalog: typeof lived): string => JSON.stringify(catalog.list({}), undefined, 1)
  const [a, b] = [rows(lived), rows(anew)]
  lived.close()
  anew.close()
  if (a === b) return
  writeFileSync('/tmp/gocore-faults-lived.json', a)
  writeFileSync('/tmp/gocore-faults-anew.json', b)
  tally.wrong++
  tally.why.push('the catalog that lived through it differs from one made anew (/tmp/gocore-faults-*.json)')
}
