/** The daemon under systemd. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Layout } from './layout.ts'
import { isDone, type Step } from './step.ts'

/** sd_booted(3). */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system')

const unit = 'gocore-sink.service'
const receiver = { socket: 'gocore-sink-receiver.socket', service: 'gocore-sink-receiver.service' }
/** Where the receiver's unit notes that storage did not answer when it was to start. */
export const receiverNote = '/run/systemd/system/gocore-sink-receiver.service.d'
const hooks = 'gocore-sink-hooks.path'

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
    command(
      ['systemctl', 'enable', '--now', hooks],
      'events for hooks',
      () => !is('enabled', hooks) || !is('active', hooks),
    ),
  ]
  if (state.before !== undefined && (changed || state.before !== state.program))
    steps.push(command(['systemctl', 'restart', unit], `a new version of ${layout.launcher}`, () => true))
  return steps
}

/** Listens at the coredump socket, with this version's receiver behind it before there is a crash to wait for it. */
export function receiverSteps(units: readonly Step[]): Step[] {
  if (!systemdRuns()) return []
  const note = forgetNote()
  const changed = [...units, note].some(step => !isDone(step))
  const isOn = (name: string): boolean => is('enabled', name) && is('active', name)
  const wasActive = is('active', receiver.service)
  return [
    note,
    command(['systemctl', 'daemon-reload'], 'the receiver', () => changed),
    command(
      ['systemctl', 'enable', '--now', receiver.socket, receiver.service],
      'the coredump socket',
      () => !isOn(receiver.socket) || !isOn(receiver.service),
    ),
    command(['systemctl', 'restart', receiver.service], 'a new version', () => changed && wasActive),
  ]
}

/** Nobody listens any more; dumps that the receiver has in hand are finished. */
export function receiverOffSteps(): Step[] {
  if (!systemdRuns()) return []
  const names = Object.values(receiver)
  return [
    command(['systemctl', 'disable', '--now', ...names], 'the coredump socket', () =>
      names.some(name => is('enabled', name) || is('active', name)),
    ),
    forgetNote(),
  ]
}

const forgetNote = (): Step => ({ kind: 'remove', path: receiverNote, at: receiverNote, recursive: true })

export function deactivationSteps(): Step[] {
  if (!systemdRuns()) return []
  return [
    command(['systemctl', 'disable', '--now', unit], 'the daemon', () => is('enabled') || is('active')),
    ...receiverOffSteps(),
    command(
      ['systemctl', 'disable', '--now', hooks, 'gocore-sink-hooks.service'],
      'events for hooks',
      () => is('enabled', hooks) || is('active', hooks),
    ),
  ]
}

export const reloadStep = (): Step[] =>
  systemdRuns() ? [command(['systemctl', 'daemon-reload'], 'the unit is gone', () => true)] : []

const command = (argv: string[], why: string, needed: () => boolean): Step => ({
  kind: 'command',
  argv,
  why,
  needed,
})

function is(state: 'enabled' | 'active', name = unit): boolean {
  try {
    execFileSync('systemctl', ['--quiet', `is-${state}`, name], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
