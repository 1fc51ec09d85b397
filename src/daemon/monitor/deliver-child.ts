/**
 * `deliver.js [--config FILE]`: delivers the events in its working directory, and ends when there are none. It has the
 * network, and none of the daemon's rights: under systemd as a service of its own, otherwise as the daemon's child.
 */
import { parseArgs } from 'node:util'
import { reasonOf } from '../../base/errors.ts'
import { loadConfig } from '../../config/index.ts'
import { openLog } from '../log.ts'
import { Postman } from './postman.ts'

try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  const read = (): ReturnType<typeof loadConfig> => loadConfig(values.config)
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  const log = openLog(read().logLevel)
  await new Postman({ directory: '.', hooks: () => read().hooks, log, signal: stopping.signal }).run()
  // A hook that goes on is not waited for.
  process.exit(0)
} catch (error) {
  process.stderr.write(`gocore-sink hooks: ${reasonOf(error)}\n`)
  process.exitCode = 1
}
