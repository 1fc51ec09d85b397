/** `gocore-sink install`: the list of steps that puts the product in place, and its reasons for refusing. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { SystemError, UsageError } from '../base/errors.ts'
import { formatConfig, gateDirectory, gateLimits, loadConfig } from '../config/index.ts'
import { accountSteps } from './accounts.ts'
import { handlerBounds } from './bounds.ts'
import { requireRootOwned } from './files.ts'
import { readKernelSetting } from './kernel.ts'
import { launcherText, launcherVersion } from './launcher.ts'
import {
  findLayout,
  type Layout,
  type LayoutOptions,
  requireNoLinks,
  requirePlainDirectories,
  staged,
  warnOfHidden,
} from './layout.ts'
import { generatedFiles } from './manual.ts'
import { corePattern, isPatternOf, noSocketMode, pipeLimit, socketPattern } from './pattern.ts'
import { findProduct, type Product, productEntries, versionName } from './product.ts'
import { formatRecord, type InstallRecord, readRecord } from './record.ts'
import { labelSteps } from './selinux.ts'
import { activationSteps, receiverOffSteps, receiverSteps, systemdRuns } from './service.ts'
import { type RunResult, runSteps, type Say, type Step } from './step.ts'
import { tryProgram } from './trial.ts'
import {
  readTemplate,
  renderHooks,
  renderReceiver,
  renderSysctl,
  renderTemplate,
  storageDirectories,
} from './units.ts'
import { retiredVersions } from './versions.ts'

export interface InstallOptions extends LayoutOptions {
  /** Print every step and change nothing. */
  dryRun?: boolean
  /** false: put the files down and leave core_pattern alone. */
  kernel?: boolean
  /** false: put the unit down and don't start it. */
  service?: boolean
  /** Dumps come by the coredump socket and not by a pipe. */
  socket?: boolean
  /** Stands for /proc in tests. */
  proc?: string
  /** Stands for /sys in tests. */
  sys?: string
  product?: Product
}

export function install(options: InstallOptions, say: Say): RunResult {
  const dryRun = options.dryRun === true
  const live = options.root === undefined
  if (live && !dryRun && process.geteuid?.() !== 0)
    throw new UsageError(
      "Installing needs root: it changes the kernel's core_pattern. With --dry-run it shows what it would do, with --root DIR it fills a directory.",
    )
  const layout = withExistingConfig(findLayout(options))
  requireNoLinks(layout)
  if (options.socket === true) requireSocketMode(layout, options)
  if (live) for (const path of [layout.launcher, layout.lib, layout.config]) requireRootOwned(path)
  const { archive, state, run } = layout.settings
  if (live) for (const path of [archive, state, run]) requireRootOwned(path)

  const steps = installSteps(layout, options)
  const result = runSteps(steps, { dryRun, say })
  if (dryRun) say(`Dry run: ${result.changed} of ${steps.length} steps would change something.`)
  else if (result.changed === 0) say('Everything is in place already; nothing was changed.')
  else say(`Installed: ${result.changed} of ${steps.length} steps changed something.`)
  for (const line of warnOfHidden(layout)) say(line)
  if (live && !dryRun) for (const line of closingWords(layout, options)) say(line)
  return result
}

/** A service whose standard input can't be opened does not start, and some containers have no kernel log. */
const withoutMissingLog = (unit: string): string =>
  existsSync('/dev/kmsg') ? unit : unit.replace(/^Standard(Input|Output)=file:.*\n/m, '')

/** Throws UsageError where the kernel has no coredump socket, or nobody would listen at it. */
function requireSocketMode(layout: Layout, options: InstallOptions): void {
  const why = noSocketMode(readKernelSetting('core_modes', options.proc))
  if (why !== undefined) throw new UsageError(`${why}.`)
  if (layout.private || (layout.root === '/' && !systemdRuns()))
    throw new UsageError(
      "The socket is systemd's to open (--socket needs systemd, and the prefix /usr or /usr/local); without --socket, dumps come by a pipe.",
    )
}

/** An administrator's configuration rules over the defaults: its directories are the ones to make. */
function withExistingConfig(layout: Layout): Layout {
  const path = staged(layout, layout.config)
  if (!existsSync(path)) return layout
  const settings = loadConfig(path)
  requirePlainDirectories(settings, path)
  if (
    settings.archive !== layout.settings.archive &&
    layout.settings.archive !== findLayout(layout).settings.archive
  )
    throw new UsageError(
      `${path} names the archive ${settings.archive}; change ArchiveDirectory there instead of giving --archive`,
    )
  return { ...layout, settings }
}

/**
 * All steps in their order. The record comes first, so that uninstall knows of whatever a run that fails leaves; the program
 * before the launcher, and the kernel near the end. What makes the next boot's kernel start the program comes when this one
 * does: a run that fails before leaves no boot with a handler that is not there.
 */
export function installSteps(layout: Layout, options: InstallOptions = {}): Step[] {
  const live = layout.root === '/'
  const withKernel = live && options.kernel !== false
  const earlier = readRecord(staged(layout, layout.record))
  const leave = options.kernel === false
  // Where the kernel is left alone, its dumps come as they came.
  const socket = options.socket === true || (leave && earlier?.pattern === socketPattern)
  const pattern = socket ? socketPattern : corePattern(layout.launcher)
  const product = options.product ?? findProduct()
  const entries = productEntries(product)
  const program = `${layout.lib}/versions/${versionName(product, entries)}`
  const at = (path: string): string => staged(layout, path)
  const file = (
    path: string,
    text: string,
    more: { mode?: number; keep?: boolean; quiet?: boolean } = {},
  ): Step => ({
    kind: 'file',
    path,
    at: at(path),
    mode: more.mode ?? 0o644,
    text,
    ...(more.keep ? { keep: true } : {}),
    ...(more.quiet ? { quiet: true } : {}),
  })
  const template = (name: string): string => renderTemplate(readTemplate(product.root, name), layout)

  const config = formatConfig(layout.settings)
  const generated = generatedFiles(layout, product)
  const gate = {
    ...{ directory: gateDirectory(layout.settings), ...gateLimits(layout.settings) },
    // While staging, the programs are those of another system.
    ...(live ? { bounds: handlerBounds() } : {}),
  }
  const launcher = launcherText({ version: program, config: layout.config, tell: layout.private, gate })
  const forReceiver = layout.private || !socket ? [] : [layout.receiver.sysusers]
  const accounts = layout.private
    ? []
    : [
        file(layout.sysusers, template('gocore-sink.sysusers.conf')),
        ...forReceiver.map(path => file(path, template('gocore-sink-receiver.sysusers.conf'))),
      ]
  const boot = [
    ...(leave ? [] : [file(layout.sysctl, renderSysctl(template('gocore-sink.sysctl.conf'), pattern))]),
    ...(layout.private
      ? []
      : [
          file(layout.managerLimits, template('gocore-sink.system.conf')),
          file(layout.loginLimits, template('gocore-sink.limits.conf')),
        ]),
  ]
  const units = [
    file(
      layout.unit,
      live ? withoutMissingLog(template('gocore-sink.service')) : template('gocore-sink.service'),
    ),
    ...(layout.private
      ? []
      : [
          file(layout.hooks.path, template('gocore-sink-hooks.path')),
          file(layout.hooks.service, renderHooks(template('gocore-sink-hooks.service'), layout, program)),
        ]),
    file(layout.tmpfiles, template('gocore-sink.tmpfiles.conf')),
    ...(socket
      ? [
          file(layout.receiver.socket, template('gocore-sink-receiver.socket')),
          file(layout.receiver.anyway, template('gocore-sink-receiver-anyway.service')),
          file(
            layout.receiver.service,
            renderReceiver(
              live
                ? withoutMissingLog(template('gocore-sink-receiver.service'))
                : template('gocore-sink-receiver.service'),
              layout,
              program,
            ),
          ),
        ]
      : []),
  ]
  const files: Step[] = [
    ...generated.map(({ path, text }) => file(path, text, { quiet: true })),
    ...units,
    file(layout.config, config, { keep: true }),
  ]

  const written = [...accounts, ...files, ...boot].flatMap(step =>
    step.kind === 'file' && !step.keep ? [step.path] : [],
  )
  // The kernel's settings for the next boot are left alone with those of this one, and are ours to remove as before.
  if (leave && earlier?.files.includes(layout.sysctl)) written.push(layout.sysctl)
  const former = [...new Set([...(earlier?.former ?? []), ...(earlier?.files ?? [])])].filter(
    path => !written.includes(path),
  )
  const record: InstallRecord = {
    schema: 'gocore-sink-install',
    version: 1,
    program,
    ...(withKernel ? { pattern } : earlier?.pattern === undefined ? {} : { pattern: earlier.pattern }),
    previous: live ? previousSettings(layout, options.proc) : (earlier?.previous ?? {}),
    config: writtenConfig(layout, config, earlier),
    files: written,
    former,
    settings: {
      archive: layout.settings.archive,
      state: layout.settings.state,
      run: layout.settings.run,
    },
  }

  const retired = former.map((path): Step => ({ kind: 'remove', path, at: at(path) }))
  const before = installedProgram(layout)
  return [
    // Ours alone, and where an umask of old has shut users out, they are let in again.
    ...[layout.lib, dirname(program)].map(
      (path): Step => ({ kind: 'directory', path, at: at(path), mode: 0o755 }),
    ),
    file(layout.record, formatRecord(record)),
    { kind: 'tree', path: program, at: at(program), entries },
    ...(live ? [trialStep(program, before)] : []),
    ...accounts,
    ...(live && !layout.private ? accountSteps(layout, socket) : []),
    ...storageDirectories(layout.settings).map(
      ({ path, mode, group }): Step => ({
        kind: 'directory',
        path,
        at: at(path),
        mode,
        // While staging, the accounts are those of another system.
        ...(group !== undefined && live ? { group } : {}),
      }),
    ),
    ...files,
    file(layout.launcher, launcher, { mode: 0o755 }),
    // Before the kernel knows of it. Other texts are labelled as their directories are.
    ...(live ? labelSteps([layout.lib, layout.launcher, layout.config, layout.unit], options.sys) : []),
    ...(live && socket ? receiverSteps(units) : []),
    ...(withKernel ? kernelSteps(pattern, options.proc) : []),
    ...boot,
    // And when it no longer does.
    ...(withKernel && !socket && !layout.private ? receiverOffSteps() : []),
    // What the version before put down and this one does not.
    ...retired,
    ...(live && !layout.private && options.service !== false
      ? activationSteps(layout, { program, before, units: [...units, ...boot, ...retired] })
      : []),
    ...retiredVersions(layout, [program, before]).map(
      (path): Step => ({ kind: 'remove', path, at: at(path), recursive: true }),
    ),
  ]
}

/** The configuration as we have written it, be it long ago: what is there now may be the administrator's, or be as we would write it. */
function writtenConfig(layout: Layout, text: string, earlier?: InstallRecord): InstallRecord['config'] {
  const { config: path } = layout
  if (!existsSync(staged(layout, path)))
    return { path, sha256: createHash('sha256').update(text).digest('hex') }
  return earlier?.config.path === path ? earlier.config : { path, sha256: '' }
}

function kernelSteps(pattern: string, proc = '/proc'): Step[] {
  return [
    { kind: 'kernel', name: 'core_pipe_limit', value: String(pipeLimit), proc },
    { kind: 'kernel', name: 'core_pattern', value: pattern, proc },
  ]
}

/** The settings before us: those of the first installation as long as ours are in force. */
function previousSettings(layout: Layout, proc?: string): InstallRecord['previous'] {
  const current = readKernelSetting('core_pattern', proc)
  const limit = readKernelSetting('core_pipe_limit', proc)
  const earlier = readRecord(staged(layout, layout.record))
  if (current === earlier?.pattern || isPatternOf(layout, current))
    return earlier?.previous ?? { core_pattern: 'core', core_pipe_limit: '0' }
  // One that is ours is what a run that failed, or whoever took core_pattern from us, has left.
  const before = (limit === String(pipeLimit) && earlier?.previous.core_pipe_limit) || limit
  return {
    ...(current === undefined ? {} : { core_pattern: current }),
    ...(before === undefined ? {} : { core_pipe_limit: before }),
  }
}

/** The version directory that the launcher starts now. */
function installedProgram(layout: Layout): string | undefined {
  const path = staged(layout, layout.launcher)
  return existsSync(path) ? launcherVersion(readFileSync(path, 'latin1')) : undefined
}

/** A program that loses dumps must not be given to the kernel. */
const trialStep = (program: string, before: string | undefined): Step => ({
  kind: 'act',
  what: `try ${program} (does it start? does it record a crash?)`,
  needed: () => program !== before,
  act: () => tryProgram(program),
})

function closingWords(layout: Layout, options: InstallOptions): string[] {
  const lines: string[] = []
  if (layout.private)
    lines.push(
      `The prefix is private: the unit lies in ${layout.unit} and is not started. Start the daemon with "${layout.launcher} daemon".`,
    )
  else if (!systemdRuns())
    lines.push(
      `systemd does not run here: the unit was put down for later, the kernel's settings last until the next boot. Start the daemon with "${layout.launcher} daemon".`,
    )
  if (options.kernel === false && !isPatternOf(layout, readKernelSetting('core_pattern', options.proc)))
    lines.push('core_pattern was left alone: no dump arrives until it is set.')
  return lines
}

/** For messages: what a failed installation leaves. */
export function requireInstalled(layout: Layout): InstallRecord {
  const record = readRecord(staged(layout, layout.record))
  if (record === undefined)
    throw new SystemError(`Nothing is installed under ${layout.prefix}: there is no ${layout.record}`)
  return record
}
