/** Where everything goes. One table, so that install, uninstall, doctor and the manual name the same paths. */
import { lstatSync, readlinkSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { UsageError } from '../base/errors.ts'
import { type Config, defaultConfig } from '../config/index.ts'

export interface LayoutOptions {
  /** Default `/usr/local`. */
  prefix?: string
  /** Default `/var/lib/gocore-sink`, or below a private prefix. */
  archive?: string
  /** Staging directory that stands for `/`: files go below it, the running system is left alone. */
  root?: string
}

/**
 * Paths as the installed system will see them; `staged()` says where they lie now. With a prefix of the system
 * (`/usr`, `/usr/local`) configuration and units go to `/etc` and state to `/var/lib`. Any other prefix is private:
 * all of it stays below the prefix, so that removing the directory removes everything.
 */
export interface Layout {
  readonly prefix: string
  readonly private: boolean
  readonly root: string
  /** The kernel and people call this one. */
  readonly launcher: string
  readonly lib: string
  /** What `install` remembers for `uninstall`. */
  readonly record: string
  readonly config: string
  readonly unit: string
  /** Socket, service and user of the receiver, where dumps come by a socket. */
  readonly receiver: {
    readonly socket: string
    readonly service: string
    readonly anyway: string
    readonly sysusers: string
  }
  /** What delivers events to hooks, and starts it. */
  readonly hooks: { readonly path: string; readonly service: string }
  readonly sysctl: string
  readonly tmpfiles: string
  readonly sysusers: string
  readonly managerLimits: string
  readonly loginLimits: string
  readonly man: string
  readonly completions: { readonly bash: string; readonly zsh: string; readonly fish: string }
  readonly settings: Config
}

export function findLayout(options: LayoutOptions = {}): Layout {
  const prefix = absolute(options.prefix ?? '/usr/local', 'the prefix')
  const isPrivate = prefix !== '/usr/local' && prefix !== '/usr'
  const etc = isPrivate ? join(prefix, 'etc') : '/etc'
  const lib = join(prefix, 'lib/gocore-sink')
  const share = join(prefix, 'share')
  const defaults = defaultConfig()
  const settings: Config = isPrivate
    ? {
        ...defaults,
        archive: join(prefix, 'var/archive'),
        state: join(prefix, 'var/state'),
        run: join(prefix, 'var/run'),
        // Accounts are the system's, and a private installation adds none.
        group: '',
      }
    : { ...defaults, group: 'gocore', analysis: { ...defaults.analysis, user: 'gocore-sink' } }
  if (options.archive !== undefined) settings.archive = absolute(options.archive, 'the archive')
  return {
    prefix,
    private: isPrivate,
    root: options.root === undefined ? '/' : absolute(options.root, 'the staging root'),
    launcher: join(prefix, 'bin/gocore-sink'),
    lib,
    record: join(lib, 'installed.json'),
    config: join(etc, 'gocore-sink.conf'),
    unit: join(etc, 'systemd/system/gocore-sink.service'),
    receiver: {
      socket: join(etc, 'systemd/system/gocore-sink-receiver.socket'),
      service: join(etc, 'systemd/system/gocore-sink-receiver.service'),
      anyway: join(etc, 'systemd/system/gocore-sink-receiver-anyway.service'),
      sysusers: join(etc, 'sysusers.d/gocore-sink-receiver.conf'),
    },
    hooks: {
      path: join(etc, 'systemd/system/gocore-sink-hooks.path'),
      service: join(etc, 'systemd/system/gocore-sink-hooks.service'),
    },
    sysctl: join(etc, 'sysctl.d/60-gocore-sink.conf'),
    tmpfiles: join(etc, 'tmpfiles.d/gocore-sink.conf'),
    sysusers: join(etc, 'sysusers.d/gocore-sink.conf'),
    managerLimits: join(etc, 'systemd/system.conf.d/60-gocore-sink.conf'),
    loginLimits: join(etc, 'security/limits.d/60-gocore-sink.conf'),
    man: join(share, 'man'),
    completions: {
      bash: join(share, 'bash-completion/completions/gocore-sink'),
      zsh: join(share, 'zsh/site-functions/_gocore-sink'),
      fish: join(share, 'fish/vendor_completions.d/gocore-sink.fish'),
    },
    settings,
  }
}

/** Where a path of the layout lies while it is being installed. */
export const staged = (layout: Layout, path: string): string =>
  layout.root === '/' ? path : join(layout.root, path)

/** The directories of a configuration, each with the key that names it. */
const directories = [
  ['ArchiveDirectory', 'archive'],
  ['StateDirectory', 'state'],
  ['RuntimeDirectory', 'run'],
] as const

/**
 * Throws UsageError where a directory of the configuration `file` could not stand in units and the launcher as it is: there
 * a space ends a word, and a percent or dollar sign begins something else. Letters may be any alphabet's.
 */
export function requirePlainDirectories(settings: Config, file: string): void {
  for (const [key, name] of directories)
    absolute(settings[name], `${key} of ${file}`, /^[\p{L}\p{M}\p{N}_./@+:-]+$/u)
}

/** Throws UsageError where one of them is a link: rights are set on a directory itself, never on what a link names. */
export function requireNoLinks(layout: Layout): void {
  const { settings, config } = layout
  for (const [key, name] of directories) {
    const at = staged(layout, settings[name])
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new UsageError(
        `${settings[name]} is a link to ${readlinkSync(at)}; name the directory itself as ${key} in ${config}${name === 'archive' ? ', or with --archive' : ''}`,
      )
  }
}

/** What the sandbox of the units hides by ProtectHome=yes, systemd.exec(5). */
const hidden = /^\/(home|root|run\/user)(\/|$)/

/** A sentence for each directory of the configuration that the daemon would not find. */
export function warnOfHidden({ settings, private: isPrivate }: Layout): string[] {
  // Its unit is not started.
  if (isPrivate) return []
  return directories
    .filter(([, name]) => hidden.test(settings[name]))
    .map(
      ([key, name]) =>
        `${key} is ${settings[name]}, which ProtectHome=yes hides from the daemon and the receiver: no dump is analysed. Choose another directory, or give gocore-sink.service and gocore-sink-receiver.service a drop-in with ProtectHome=no.`,
    )
}

function absolute(path: string, what: string, plain = /^[\w./@+:-]+$/): string {
  // Spaces would split the kernel's core_pattern, and newlines the units.
  if (!isAbsolute(path) || !plain.test(path))
    throw new UsageError(
      `Cannot use ${JSON.stringify(path)} as ${what}: it must be an absolute path of letters, digits and ./@+:_-`,
    )
  return normalize(path).replace(/(?<=.)\/$/, '')
}
