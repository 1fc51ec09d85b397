/** What crashed, as a block of facts: program, build, process, host, time, completeness, time held. */
import type { Manifest } from '../../archive/manifest.ts'
import type { Report } from '../../engine/report/report.ts'
import { coreState } from './core-state.ts'
import type { Fact } from './facts.ts'
import { buildOf, containerOf, programName, shellWord, toolchainOf } from './program.ts'
import type { Look } from './style.ts'
import { formatAge, formatSize, formatSpan, formatTime } from './units.ts'

export interface Crash {
  readonly manifest?: Manifest | undefined
  readonly report?: Report | undefined
  /** What to type to name it again: an id, or the path of a core file. */
  readonly target: string
}

export function crashFacts(crash: Crash, look: Look): Fact[] {
  const { manifest, report } = crash
  return [
    ['Program', program(crash)],
    ['Built', report && toolchainOf(report)],
    ['Process', processOf(crash)],
    ['Signal', signal(crash)],
    ['Host', manifest && where(manifest)],
    ['When', manifest && when(manifest, look)],
    ['Core', core(crash)],
  ]
}

function program(crash: Crash): string {
  const { manifest, report } = crash
  const build = buildOf(report?.go)
  const name = programName(manifest, report)
  const path = manifest?.process.exe ?? report?.program.path
  return [name, build, path && path !== name ? `(${path})` : ''].filter(Boolean).join(' ')
}

function processOf({ manifest, report }: Crash): string[] {
  const pid = manifest?.process.pid ?? report?.program.pid
  const uid = manifest?.process.uid ?? report?.program.uid
  const ids = [pid === undefined ? '' : `pid ${pid}`, uid === undefined ? '' : `user ${uid}`].filter(Boolean)
  const command = manifest?.process.cmdline?.map(shellWord).join(' ') ?? report?.program.args
  // Without arguments it is the path again, which stands above.
  const path = manifest?.process.exe ?? report?.program.path
  return [ids.join(', '), command === path ? '' : (command ?? '')].filter(line => line !== '')
}

/** The signal, where the verdict alone doesn't tell it: what the kernel saw as the end. */
function signal({ manifest, report }: Crash): string | undefined {
  const name = report?.death.signalName ?? manifest?.signal.name
  if (name === undefined) return undefined
  // The runtime ends a panic or throw under GOTRACEBACK=crash by SIGABRT: that adds nothing.
  if (name === 'SIGABRT' && (report?.death.kind === 'panic' || report?.death.kind === 'fatal'))
    return undefined
  const death = report?.death
  const parts = [name]
  if (death?.signalCodeName) parts.push(`(${death.signalCodeName})`)
  if (death?.address) parts.push(`at address ${death.address}`)
  if (death?.sender) parts.push(`from pid ${death.sender.pid}, user ${death.sender.uid}`)
  const last = manifest?.signal.name
  if (last && last !== name) parts.push(`; the process ended with ${last}`)
  return parts.join(' ').replace(' ;', ';')
}

function where(manifest: Manifest): string[] {
  return [manifest.host.name, containerOf(manifest) ?? ''].filter(line => line !== '')
}

function when(manifest: Manifest, look: Look): string {
  const time = Date.parse(manifest.time)
  const held = manifest.held_ms > 0 ? `; process held ${formatSpan(manifest.held_ms)} for the dump` : ''
  return `${formatTime(time)}, ${formatAge(look.now - time)} ago${held}`
}

function core({ manifest, report }: Crash): string | undefined {
  if (manifest) return manifest.core.state === 'none' ? 'none' : coreState(manifest.core)
  if (!report) return undefined
  const { complete, size, expectedSize } = report.core
  if (complete) return `complete, ${formatSize(size)}`
  const part =
    expectedSize > 0 ? `${Math.floor((size / expectedSize) * 100)} % of ${formatSize(expectedSize)}` : ''
  return `cut short: ${part || formatSize(size)}`
}
