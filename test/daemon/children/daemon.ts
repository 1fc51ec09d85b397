/** The daemon with another program for its analyses: `daemon.ts CONFIG PROGRAM GRACE_MS`. */
import { reasonOf } from '../../../src/base/errors.ts'
import { runDaemon } from '../../../src/daemon/index.ts'

const [configPath, program, grace] = process.argv.slice(2)
try {
  await runDaemon({ configPath, program, graceMs: Number(grace) })
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`)
  process.exitCode = 1
}
