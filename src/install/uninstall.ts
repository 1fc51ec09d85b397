/** `gocore-sink uninstall`: puts back what was. Dumps stay unless they are asked for. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type DumpRef, openLocalStore } from '../archive/index.ts'
import { UsageError } from '../base/errors.ts'
import { spoolRoot } from '../config/index.ts'
import { requireInstalled } from './install.ts'
import { readKernelSetting } from './kernel.ts'
import { findLayout, type Layout, type LayoutOptions, staged } from './layout.ts'
import { isPatternOf, pipeLimit } from './pattern.ts'
import type { InstallRecord } from './record.ts'
import { deactivationSteps, reloadStep } from './service.ts'
import { type RunResult, runSteps, type Say, type Step } from './step.ts'
import { handlersOf } from './versions.ts'

export interface UninstallOptions extends Omit<LayoutOptions, 'archive'> {
  dryRun?: boolean
  /** Also the archive with all dumps, and the configuration even where it was changed. */
  purge?: boolean
  proc?: string
}

export async function uninstall(options: UninstallOptions, say: Say): Promise<RunResult> {
  const live = options.root === undefined
  if (live && options.dryRun !== true && process.geteuid?.() !== 0)
    throw new UsageError(
      'Uninstalling needs root: it puts core_pattern back. With --dry-run it shows what it would do.',
    )
  const layout = findLayout(options)
  const record = requireInstalled(layout)
  const dryRun = options.dryRun === true
  if (options.purge) refuseHeld(layout, record)

  const off = live ? [...kernelSteps(layout, record, options.proc, say), ...deactivation(layout)] : []
  const first = runSteps(off, { dryRun, say })
  // The kernel starts no new handler now. One that has a dump in hand needs its files a little longer.
  if (live && !dryRun) await handlersGone(layout)
  const second = runSteps(removalSteps(layout, record, options.purge === true, say), { dryRun, say })
  if (!options.purge && readNames(staged(layout, record.settings.archive)).length > 0)
    say(`The dumps stay in ${record.settings.archive}; "uninstall --purge" would have removed them.`)
  const changed = first.changed + second.changed
  say(
    dryRun
      ? `Dry run: ${changed} steps would change something.`
      : `Removed gocore-sink from ${layout.prefix}.`,
  )
  return { changed, same: first.same + second.same }
}

/** What is on hold nobody removes, whatever they were told. */
function refuseHeld(layout: Layout, { settings: { archive, state } }: InstallRecord): void {
  for (const root of [archive, spoolRoot({ ...layout.settings, state })]) {
    const store = openLocalStore(staged(layout, root))
    const held: string[] = []
    const onBroken = (ref: DumpRef): void => {
      const why = store.whyHeld(ref)
      if (why !== undefined) throw new UsageError(`Refused to remove ${root}: of dump ${ref.id} ${why}.`)
    }
    for (const { id, manifest } of store.list({ onBroken })) if (manifest.hold !== undefined) held.push(id)
    if (held.length === 0) continue
    const ids = held.length > 10 ? [...held.slice(0, 10), `${held.length - 10} more`] : held
    throw new UsageError(
      `Refused to remove ${root}: on hold ${held.length === 1 ? 'is' : 'are'} ${ids.join(', ')}; gocore-sink unhold lifts that.`,
    )
  }
}

const deactivation = (layout: Layout): Step[] => (layout.private ? [] : deactivationSteps())

function kernelSteps(layout: Layout, record: InstallRecord, proc: string | undefined, say: Say): Step[] {
  const current = readKernelSetting('core_pattern', proc)
  if (current === undefined) return []
  // Also where install left the kernel alone: sysctl.d or a person may have set it.
  if (current !== record.pattern && !isPatternOf(layout, current)) {
    if (record.pattern !== undefined)
      say(`core_pattern is ${JSON.stringify(current)}, which is not ours any more: left as it is.`)
    return []
  }
  const { core_pattern: pattern = 'core', core_pipe_limit: limit = '0' } = record.previous
  const steps: Step[] = [{ kind: 'kernel', name: 'core_pattern', value: pattern, proc: proc ?? '/proc' }]
  if (readKernelSetting('core_pipe_limit', proc) === String(pipeLimit))
    steps.push({ kind: 'kernel', name: 'core_pipe_limit', value: limit, proc: proc ?? '/proc' })
  return steps
}

/** Waits, at most half a minute, until every handler has ended. */
async function handlersGone(layout: Layout): Promise<void> {
  for (let waited = 0; waited < 30_000 && handlersOf(layout).length > 0; waited += 200)
    await new Promise(resolve => setTimeout(resolve, 200))
}

function removalSteps(layout: Layout, record: InstallRecord, purge: boolean, say: Say): Step[] {
  const remove = (path: string, how: { recursive?: boolean; onlyEmpty?: boolean } = {}): Step => ({
    kind: 'remove',
    path,
    at: staged(layout, path),
    ...how,
  })
  // Former ones are there where the update that was to remove them failed.
  const files = [...record.files, ...(record.former ?? [])].map(path => remove(path))
  const config = staged(layout, record.config.path)
  if (existsSync(config)) {
    const same = createHash('sha256').update(readFileSync(config)).digest('hex') === record.config.sha256
    if (same || purge) files.push(remove(record.config.path))
    else say(`${record.config.path} was changed since and stays.`)
  }
  const { archive, state, run } = record.settings
  return [
    // What storage may refuse comes first: the record and the command are there as long as there is something left to do.
    remove(run, { recursive: true }),
    ...stateSteps(layout, state, purge, say).map(path => remove(path, { recursive: true })),
    remove(state, { onlyEmpty: true }),
    purge ? remove(archive, { recursive: true }) : remove(archive, { onlyEmpty: true }),
    ...files,
    remove(layout.lib, { recursive: true }),
    remove(layout.launcher),
    ...(layout.private ? emptied(layout, record).map(path => remove(path, { onlyEmpty: true })) : []),
    ...(layout.private || layout.root !== '/' ? [] : reloadStep()),
  ]
}

/** The catalog is a cache over the archive and goes; dumps that wait in the spool for an archive that was away do not. */
function stateSteps(layout: Layout, state: string, purge: boolean, say: Say): string[] {
  const spool = spoolRoot({ ...layout.settings, state })
  const waiting = !purge && readNames(staged(layout, `${spool}/dumps`)).length > 0
  if (!waiting) return [state]
  say(
    `${spool} holds dumps that the archive did not take yet, and stays; "gocore-sink import ${spool}" takes them in.`,
  )
  return readNames(staged(layout, state))
    .map(name => `${state}/${name}`)
    .filter(path => path !== spool)
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Directories of a private prefix, deepest first: those that are empty by then go too, the prefix last. */
function emptied(layout: Layout, record: InstallRecord): string[] {
  const all = new Set<string>()
  const { archive, state, run } = record.settings
  for (const path of [
    layout.launcher,
    layout.lib,
    layout.config,
    archive,
    state,
    run,
    ...record.files,
    ...(record.former ?? []),
  ])
    for (let folder = dirname(path); folder.startsWith(layout.prefix); folder = dirname(folder))
      all.add(folder)
  return [...all].sort((a, b) => b.split('/').length - a.split('/').length)
}
