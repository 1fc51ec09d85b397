/** The group and users that directories and units name, made by systemd-sysusers(8) or what the machine has in its place. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SystemError } from '../base/errors.ts'
import type { Layout } from './layout.ts'
import type { Step } from './step.ts'

/** Whom the units of the hooks and of the receiver run as. */
const hooksUser = 'gocore-sink-hooks'
const receiverUser = 'gocore-sink-receiver'

/** A user has a group of the same name, no home and no shell, as systemd-sysusers makes it. */
interface Maker {
  readonly program: string
  readonly group: (name: string) => readonly string[]
  readonly user: (name: string, shell: string) => readonly string[]
}

const makers: readonly Maker[] = [
  {
    program: 'useradd',
    group: name => ['groupadd', '-r', name],
    user: (name, shell) => ['useradd', '-r', '-M', '-g', name, '-d', '/', '-s', shell, name],
  },
  // Busybox.
  {
    program: 'adduser',
    group: name => ['addgroup', '-S', name],
    user: (name, shell) => ['adduser', '-S', '-D', '-H', '-G', name, '-h', '/', '-s', shell, name],
  },
]

/** Throws SystemError where an account is missing and nothing is there to make it. */
export function accountSteps(layout: Layout, withReceiver: boolean): Step[] {
  const { group, analysis } = layout.settings
  const named = (names: readonly string[]): string[] => names.filter(name => name !== '')
  const users = named([analysis.user, hooksUser, ...(withReceiver ? [receiverUser] : [])])
  const groups = named([group])
  const isWhole = (): boolean =>
    groups.every(name => has('/etc/group', name)) && users.every(name => has('/etc/passwd', name))
  const why = `${groups.map(name => `group ${name} and `).join('')}${users.length > 1 ? 'users' : 'user'} ${users.join(', ')}`

  if (isOnPath('systemd-sysusers')) {
    const files = [layout.sysusers, ...(withReceiver ? [layout.receiver.sysusers] : [])]
    return [{ kind: 'command', argv: ['systemd-sysusers', ...files], why, needed: () => !isWhole() }]
  }
  const maker = makers.find(({ program }) => isOnPath(program))
  if (maker === undefined) {
    if (isWhole()) return []
    throw new SystemError(
      `Cannot make the accounts: there is neither systemd-sysusers nor useradd nor adduser; make ${why} first`,
    )
  }
  const shell = ['/usr/sbin/nologin', '/sbin/nologin'].find(path => existsSync(path)) ?? '/bin/false'
  const make = (argv: readonly string[], what: string, file: string, name: string): Step => ({
    ...{ kind: 'command', argv, why: `${what} ${name}` },
    needed: () => !has(file, name),
  })
  return [
    ...[...new Set([...groups, ...users])].map(name => make(maker.group(name), 'group', '/etc/group', name)),
    ...users.map(name => make(maker.user(name, shell), 'user', '/etc/passwd', name)),
  ]
}

const has = (file: string, name: string): boolean =>
  readFileSync(file, 'utf8')
    .split('\n')
    .some(line => line.startsWith(`${name}:`))

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
