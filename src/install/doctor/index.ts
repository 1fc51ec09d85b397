/** `gocore-sink doctor`: all that can keep a dump from arriving or from being useful, each with its remedy. */
import type { Config } from '../../config/index.ts'
import { type Finding, ifAllowed } from './finding.ts'
import { type Host, openHost } from './host.ts'
import {
  checkBoot,
  checkCorePattern,
  checkKernel,
  checkOthers,
  checkPipeLimit,
  checkSuidDumpable,
  checkUsesPid,
} from './kernel-checks.ts'
import { checkOneProcess, checkProcesses } from './process-checks.ts'
import { checkClock, checkDaemon, checkHandler, checkNode, checkSchedules } from './program-checks.ts'
import { checkStorage } from './storage-checks.ts'

export { type Finding, type FindingStatus, formatFindings } from './finding.ts'

export interface DoctorOptions {
  config: Config
  /** Also what keeps this process's dump away; the checks over all processes are left out then. */
  pid?: number
  host?: Host
}

/** First what concerns every dump, in the order in which one meets it, then the processes. */
export async function doctor(options: DoctorOptions): Promise<Finding[]> {
  const { config, pid } = options
  const host = options.host ?? openHost()
  const checks: (() => Finding | Finding[] | Promise<Finding>)[] = [
    () => checkSuidDumpable(host),
    () => ifAllowed('core-pattern', () => checkCorePattern(host)),
    () => checkUsesPid(host),
    () => checkPipeLimit(host),
    () => ifAllowed('boot', () => checkBoot(host)),
    () => checkOthers(host),
    () => checkKernel(host),
    () => ifAllowed('handler', () => checkHandler(host)),
    () => checkNode(),
    () => checkStorage(config),
    () => checkSchedules(config),
    () => checkDaemon(host, config),
    () => checkClock(host),
    () => (pid === undefined ? checkProcesses(host, config) : checkOneProcess(host, pid, config)),
  ]
  const findings: Finding[] = []
  for (const check of checks) findings.push(...[await check()].flat())
  return findings
}
