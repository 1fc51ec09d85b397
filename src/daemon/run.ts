/** `gocore-sink daemon`: from its start to its end by a signal, in the foreground. */
import { toolVersion } from '../base/version.ts'
import { type ConfigSource, readConfig } from './config-source.ts'
import { forbidCores } from './libc.ts'
import { type Log, openLog } from './log.ts'
import { Supervisor } from './supervisor.ts'

export interface DaemonOptions extends ConfigSource {
  /** How long analyses in hand may go on after SIGTERM; default 10 s. */
  graceMs?: number
  /** The analysing child's program, for tests. */
  program?: string | undefined
}

/** After the grace, so long for the rest; storage that hangs must not hold up a shutdown. */
const lastMs = 10_000

/** Runs until SIGTERM or SIGINT. Throws where it can't start: configuration, another daemon, archive, socket. */
export async function runDaemon(options: DaemonOptions = {}): Promise<void> {
  const { graceMs = 10_000, ...rest } = options
  const config = readConfig(options)
  const log = openLog(config.logLevel)
  process.umask(0o027)
  forbidCores()
  await using supervisor = new Supervisor({
    ...{ ...rest, config, log },
    // Before that a signal ends this process as it is.
    onBegun: () => endOnSignals(supervisor, log, graceMs),
    onReady: () => log.info(`gocore-sink ${toolVersion} keeps ${config.archive}, pid ${process.pid}`),
  })
  process.on('SIGHUP', () => supervisor.reload())
  try {
    await supervisor.ended
  } finally {
    endWithin(lastMs, log)
  }
}

/** The first signal to stop lets work end, the second does not wait for it. */
function endOnSignals(supervisor: Supervisor, log: Log, graceMs: number): void {
  let count = 0
  const onStop = (signal: string): void => {
    if (++count === 1) {
      log.info(`Stopping on ${signal}`)
      supervisor.stop(signal, graceMs)
      endWithin(graceMs + lastMs, log)
    } else {
      log.info(`${signal} again: not waiting for the work in hand`)
      supervisor.abort()
      endWithin(lastMs, log)
    }
  }
  process.on('SIGTERM', onStop)
  process.on('SIGINT', onStop)
}

/** process.exit() would wait for a thread that hangs in storage; only this does not. */
function endWithin(ms: number, log: Log): void {
  setTimeout(() => {
    log.warning('Ending without what still waits for storage')
    process.kill(process.pid, 'SIGKILL')
  }, ms).unref()
}
