/** The files of systemd/ with this installation's paths, accounts and kernel pattern in place of the default ones. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, defaultConfig } from '../config/index.ts'
import type { Layout } from './layout.ts'
import { pipeLimit } from './pattern.ts'

/**
 * Replaces the default paths in a template. One pass, longest name first: one default is the beginning of another, and the
 * run directory that of the kernel's socket, which stays where core_pattern says.
 */
export function renderTemplate(text: string, layout: Layout): string {
  const defaults = defaultConfig()
  const paths: [string, string][] = [
    ['/usr/local/bin/gocore-sink', layout.launcher],
    ['/etc/gocore-sink.conf', layout.config],
    [defaults.state, layout.settings.state],
    [defaults.archive, layout.settings.archive],
    [defaults.run, layout.settings.run],
    [mountUnits(defaults.state), mountUnits(layout.settings.state)],
    [mountUnits(defaults.archive), mountUnits(layout.settings.archive)],
  ]
  paths.sort(([a], [b]) => b.length - a.length)
  const pattern = new RegExp(`(${paths.map(([from]) => RegExp.escape(from)).join('|')})(?![\\w.-])`, 'g')
  const rendered = text.replace(pattern, from => paths.find(([known]) => known === from)![1])
  return withAccounts(rendered, layout.settings)
}

/** tmpfiles.d and sysusers.d: the configuration's group and user of the analysis; without a group, root's own. */
const withAccounts = (text: string, { group, analysis }: Config): string =>
  text
    .replace(/^(d \S+) 0750 root gocore /gm, (_, path) =>
      group === '' ? `${path} 0700 root root ` : `${path} 0750 root ${group} `,
    )
    .replace(/^g gocore -\n/m, () => (group === '' ? '' : `g ${group} -\n`))
    .replace(/^u gocore-sink -(.*\n)/m, (_, rest) =>
      analysis.user === '' ? '' : `u ${analysis.user} -${rest}`,
    )

/** The units of all file systems that may be mounted on the way to `path`, those nearer to the root first. */
export function mountUnits(path: string): string {
  const names = path.split('/').filter(name => name !== '')
  return names.map((_, i) => mountUnit(names.slice(0, i + 1))).join(' ')
}

/** As systemd-escape(1) does it. */
const mountUnit = (names: readonly string[]): string =>
  `${names
    .map(name => name.replace(/[^A-Za-z0-9:_.]/gu, escapeUnit))
    .join('-')
    .replace(/^\./, '\\x2e')}.mount`

const escapeUnit = (character: string): string =>
  [...Buffer.from(character)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

export function readTemplate(productRoot: string, name: string): string {
  return readFileSync(join(productRoot, 'systemd', name), 'utf8')
}

/** sysctl.d with the pattern of this kernel. */
export function renderSysctl(text: string, pattern: string): string {
  return text
    .replace(/^kernel\.core_pattern=.*$/m, () => `kernel.core_pattern=${pattern}`)
    .replace(/^kernel\.core_pipe_limit=.*$/m, `kernel.core_pipe_limit=${pipeLimit}`)
}

/** What is no verb of the command line: its unit names the version's program outright, as the launcher does. */
const programOf =
  (word: string, script: string) =>
  (text: string, { launcher, config }: Layout, program: string): string =>
    text.replace(
      `ExecStart=${launcher} ${word}`,
      `ExecStart=${program}/bin/node --disable-warning=ExperimentalWarning ${program}/dist/${script}.js --config ${config}`,
    )

export const renderReceiver = programOf('receive', 'receiver')
export const renderHooks = programOf('deliver', 'deliver')

/** Directories that the daemon and the handler write, and who may look into them. */
export function storageDirectories(settings: Config): { path: string; mode: number; group?: string }[] {
  const group = settings.group === '' ? {} : { group: settings.group }
  const mode = settings.group === '' ? 0o700 : 0o750
  // With UserAccess users pass through to what is theirs.
  const pass = settings.userAccess ? 0o001 : 0
  return [
    { path: settings.archive, mode: mode | pass, ...group },
    { path: settings.state, mode, ...group },
    { path: settings.run, mode: 0o755 },
  ]
}
