/** `gocore-sink daemon`: the service with its lock, signals and the manager's protocol, in the foreground. */
import { ConfigError, reasonOf } from '../base/errors.ts'
import { toolVersion } from '../base/version.ts'
import { type Config, loadConfig } from '../config/index.ts'
import { forbidCores } from './libc.ts'
import { Liveness } from './liveness.ts'
import { takeLock } from './lock.ts'
import { openLog } from './log.ts'
import { Notifier, watchdogInterval } from './notify.ts'
import { Service } from './service.ts'

export interface DaemonOptions {
  /** Configuration file; the default one where it is absent. */
  configPath?: string | undefined
  /** Over what the file says, also after a reload. */
  override?: ((config: Config) => Config) | undefined
  /** How long analyses in hand may go on after SIGTERM; default 10 s. */
  graceMs?: number
  /** The analysing child's program, for tests. */
  program?: string | undefined
}

/** After the grace, so long for the rest; storage that hangs must not hold up a shutdown. */
const lastMs = 10_000

/** Runs until SIGTERM or SIGINT. Throws where it can't start: configuration, another daemon, archive, socket. */
export async function runDaemon(options: DaemonOptions = {}): Promise<void> {
  const read = (): Config => (options.override ?? (config => config))(loadConfig(options.configPath))
  const config = read()
  const log = openLog(config.logLevel)
  process.umask(0o027)
  forbidCores()
  using _lock = takeLock(config.state)
  const notifier = new Notifier()
  const beat = watchdogInterval()
  await untilAnswering(config.archive, log, notifier)
  const service = new Service({
    config,
    log,
    program: options.program,
    configPath: options.configPath,
    onStatus: text => notifier.send(`STATUS=${text}`),
  })
  const stopped = untilStopped(log, service, () => reload())
  await service.start()
  // From the start on it would keep a daemon alive that can't start.
  const watchdog = beat && notifier.isOn ? setInterval(() => notifier.send('WATCHDOG=1'), beat) : undefined
  notifier.send('READY=1', 'STATUS=Waiting for dumps')
  log.info(`gocore-sink ${toolVersion} keeps ${config.archive}, pid ${process.pid}`)
  const signal = await stopped
  notifier.send('STOPPING=1', `STATUS=Stopping on ${signal}`)
  log.info(`Stopping on ${signal}`)
  const graceMs = options.graceMs ?? 10_000
  // process.exit() would wait for a thread that hangs in NFS; only this does not.
  const last = setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs + lastMs)
  await service.stop(graceMs)
  // A thread that hangs would keep this process.
  last.unref()
  clearInterval(watchdog)

  function reload(): void {
    notifier.send('STATUS=Reading the configuration again')
    try {
      for (const sentence of service.reload(read())) log.warning(sentence)
      log.info('Read the configuration again')
    } catch (error) {
      const why = error instanceof ConfigError ? error.message : reasonOf(error)
      for (const line of why.split('\n')) log.error(`Keeping the configuration as it was: ${line}`)
    }
    notifier.send('STATUS=Waiting for dumps')
  }
}

/** A start that waits for storage is no start that has failed. */
async function untilAnswering(
  archive: string,
  log: ReturnType<typeof openLog>,
  notifier: Notifier,
): Promise<void> {
  const tell = (): void =>
    notifier.send('EXTEND_TIMEOUT_USEC=60000000', `STATUS=Waiting for ${archive}, which does not answer`)
  let telling: NodeJS.Timeout | undefined
  const onSilence = (isSilent: boolean): void => {
    log.warning(isSilent ? `${archive} does not answer, waiting for it` : `${archive} answers again`)
    if (isSilent) telling = setInterval(tell, 20_000)
  }
  await new Liveness(archive, { onSilence }).answers()
  clearInterval(telling)
}

/** The first signal to stop lets work end, the second does not wait for it. */
function untilStopped(
  log: ReturnType<typeof openLog>,
  service: Service,
  onReload: () => void,
): Promise<string> {
  return new Promise(resolve => {
    let count = 0
    const onStop = (signal: string): void => {
      resolve(signal)
      if (++count === 1) return
      log.info(`${signal} again: not waiting for the work in hand`)
      service.abort()
    }
    process.on('SIGTERM', onStop)
    process.on('SIGINT', onStop)
    process.on('SIGHUP', onReload)
  })
}
