/** A daemon for a trial's archive: started, waited for, killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { openCatalog } from '../../src/catalog/index.ts'
import { sleep } from './fault.ts'
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

/** Until all handlers have ended, the spool is empty and nothing is pending, or for half a minute. */
export async function settled(trial: Trial): Promise<void> {
  // A dump is listed when its manifest is there, which may be long after its process has gone.
  await trial.bed.settle()
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
