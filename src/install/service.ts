/** The daemon under systemd. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Layout } from './layout.ts'
import { isDone, type Step } from './step.ts'

/** sd_booted(3). */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system')

const unit = 'gocore-sink.service'

/** Makes systemd know the unit, and the daemon run this version. */
export function activationSteps(
  layout: Layout,
  state: { program: string; before: string | undefined; units: readonly Step[] },
): Step[] {
  if (!systemdRuns()) return []
  const changed = state.units.some(step => !isDone(step))
  const steps: Step[] = [
    command(['systemctl', 'daemon-reload'], 'the unit and the limits changed', () => changed),
    command(['systemctl', 'enable', '--now', unit], 'the daemon', () => !is('enabled') || !is('active')),
  ]
  if (state.before !== undefined && (changed || state.before !== state.program))
    steps.push(command(['systemctl', 'restart', unit], `a new version of ${layout.launcher}`, () => true))
  return steps
}

export function deactivationSteps(): Step[] {
  if (!systemdRuns()) return []
  return [command(['systemctl', 'disable', '--now', unit], 'the daemon', () => is('enabled') || is('active'))]
}

export const reloadStep = (): Step[] =>
  systemdRuns() ? [command(['systemctl', 'daemon-reload'], 'the unit is gone', () => true)] : []

const command = (argv: string[], why: string, needed: () => boolean): Step => ({
  kind: 'command',
  argv,
  why,
  needed,
})

function is(state: 'enabled' | 'active'): boolean {
  try {
    execFileSync('systemctl', ['--quiet', `is-${state}`, unit], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
