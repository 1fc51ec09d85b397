/** `gocore-sink doctor`: all that can keep a dump from arriving or from being useful, each with its remedy. */
import type { Config } from '../../config/index.ts'
import { type Finding, ifSeen } from './finding.ts'
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
  const checks: [name: string, check: () => Finding | Finding[] | Promise<Finding>][] = [
    ['suid-dumpable', () => checkSuidDumpable(host)],
    ['core-pattern', () => checkCorePattern(host)],
    ['core-uses-pid', () => checkUsesPid(host)],
    ['core-pipe-limit', () => checkPipeLimit(host)],
    ['boot', () => checkBoot(host)],
    ['other-recorders', () => checkOthers(host)],
    ['kernel', () => checkKernel(host)],
    ['handler', () => checkHandler(host)],
    ['node', () => checkNode()],
    ['storage', () => checkStorage(config)],
    ['schedule', () => checkSchedules(config)],
    ['daemon', () => checkDaemon(host, config)],
    ['clock', () => checkClock(host)],
    [
      'processes',
      () => (pid === undefined ? checkProcesses(host, config) : checkOneProcess(host, pid, config)),
    ],
  ]
  const findings: Finding[] = []
  for (const [name, check] of checks) findings.push(...[await ifSeen(name, check)].flat())
  return findings
}
