/** The daemon as a program of its own: `node dist/daemon.js [--config FILE]`. */
import { parseArgs } from 'node:util'
import { reasonOf } from '../base/errors.ts'
import { runDaemon } from './run.ts'

try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  await runDaemon({ configPath: values.config ?? (process.env.GOCORE_SINK_CONFIG || undefined) })
} catch (error) {
  process.stderr.write(`gocore-sink daemon: ${reasonOf(error)}\n`)
  process.exitCode = 1
}
