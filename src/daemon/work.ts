/** The daemon's thread that works: the service over archive, spool and catalog, which waits wherever they make it wait. */
import { realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { whyNotMounted } from '../archive/known.ts'
import { ConfigError, reasonOf, SinkError } from '../base/errors.ts'
import type { Config } from '../config/index.ts'
import { readConfig } from './config-source.ts'
import { Liveness } from './liveness.ts'
import { takeLock } from './lock.ts'
import { openLog } from './log.ts'
import { Service } from './service.ts'
import { ownThread } from './thread-state.ts'
import type { Failure, Order, WorkReport, WorkStart } from './thread-words.ts'

/** Between looks for a mount that is missing. */
const mountMs = 2000

const start = workerData as WorkStart
const port = parentPort!
const log = openLog(start.config.logLevel)
const report = (what: WorkReport | Failure): void => port.postMessage(what)
const status = (text: string): void => report({ kind: 'status', text })

report({ kind: 'thread', number: ownThread() })
const beat = setInterval(() => Atomics.add(start.beats, 0, 1), start.beatMs).unref()
try {
  await work()
} catch (error) {
  const code = error instanceof SinkError ? error.code : undefined
  report({ kind: 'failed', code, message: reasonOf(error) })
  // Of this thread, whatever has been begun.
  process.exit(1)
}
clearInterval(beat)
port.close()

async function work(): Promise<void> {
  const { config, configPath, program } = start
  using _lock = takeLock(config.state)
  report({ kind: 'locked' })
  await untilThere(config)
  const service = new Service({
    ...{ config, log, program, configPath, onStatus: status },
    onCounts: text => report({ kind: 'counts', text }),
    onKernelLog: sequence => report({ kind: 'kernel-log', sequence }),
  })
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  port.on('message', (order: Order) => {
    switch (order.kind) {
      case 'nudge':
        return service.nudge(order.id)
      case 'kernel-log':
        return service.readKernelLog(order.lines)
      case 'reload':
        return reload(service)
      case 'remounted':
        return service.remounted()
      case 'abort':
        return service.abort()
      case 'stop':
        return void service.stop(order.graceMs).then(resolve)
    }
  })
  report({ kind: 'begun', archive: realpathSync(config.archive), state: realpathSync(config.state) })
  await service.start()
  report({ kind: 'ready' })
  await stopped
}

/** A start that waits for storage is no start that has failed. */
async function untilThere({ archive, state }: Config): Promise<void> {
  const liveness = new Liveness(archive)
  for (let isTold = false; ; isTold = true) {
    await liveness.answers()
    const absent = whyNotMounted(state, archive)
    if (absent === undefined) return
    if (!isTold) log.warning(absent)
    await sleep(mountMs)
  }
}

function reload(service: Service): void {
  status('Reading the configuration again')
  try {
    for (const sentence of service.reload(readConfig(start))) log.warning(sentence)
    report({ kind: 'log-level', level: log.level })
    log.info('Read the configuration again')
  } catch (error) {
    const why = error instanceof ConfigError ? error.message : reasonOf(error)
    for (const line of why.split('\n')) log.error(`Keeping the configuration as it was: ${line}`)
  }
  status('Waiting for dumps')
}
