/** `import`: core files of other tools, and dumps of other archives, become dumps. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DumpRef,
  type Imported,
  importDump,
  type LocalStore,
  openLocalStore,
} from '../../archive/index.ts'
import { Leases, leaseBeat } from '../../archive/lease.ts'
import { FormatError, NotFoundError, reasonOf, UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import type { CoreImported } from '../import-file.ts'
import { importOnce, importRest } from '../import-once.ts'
import type { GlobalArgs } from '../options.ts'
import { exitOf } from '../render/exit.ts'
import { sayTo } from '../render/output.ts'
import { startProgress } from '../render/progress.ts'
import { sentenceOf } from '../render/sentence.ts'
import { count } from '../render/text.ts'
import type { Site } from '../site.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('import')

export const builder = define({
  positionals: {
    files: {
      describe: 'core files, directories to search for them, or other archives',
      several: true,
      complete: 'file',
    },
  },
  options: {
    exe: {
      type: 'string',
      value: 'FILE',
      describe: 'the executable that crashed, where it is not found by itself',
      complete: 'file',
    },
  },
  examples: [
    ['gocore-sink import ./core --exe ./server', 'a core file and its program'],
    ['gocore-sink import /var/lib/systemd/coredump', 'what systemd-coredump has kept'],
  ],
})

interface Args extends GlobalArgs {
  files: string[]
  exe?: string
}

interface Work {
  readonly label: string
  /** Found in a directory: what is no core there is none of our business. */
  readonly searched: boolean
  readonly run: () => Promise<CoreImported>
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  using site = openSite(argv)
  const [say, complain] = [sayTo(1), sayTo(2)]
  const done: CoreImported[] = []
  let failed = 0
  for (const path of argv.files)
    for await (const { label, searched, run } of workOf(site, path, argv.exe))
      try {
        const imported = await run()
        done.push(imported)
        const { ref, isNew, isCompleted, missing, lacksCore } = imported
        const before = isCompleted
          ? ' (was there already; its executable is there too now)'
          : ' (was there already)'
        say(`${ref.id}  ${label}${isNew ? '' : before}`)
        if (missing !== undefined)
          complain(`${ref.id} lacks its executable ${missing}: import ${label} again with --exe FILE`)
        if (lacksCore)
          complain(`gocore-sink: The core of ${label} is gone there: imported what else is known of it`)
      } catch (error) {
        if (searched && error instanceof FormatError && error.section === 'ELF header') continue
        failed++
        process.exitCode ||= exitOf(error)
        complain(`gocore-sink: Could not import ${label}: ${sentenceOf(error)}`)
      }
  if (done.length === 0 && failed === 0)
    throw new NotFoundError(`There is no core file in ${argv.files.join(', ')}.`)
  await settle(
    site,
    done.filter(
      ({ ref, isNew, isCompleted }) => isNew || (isCompleted && site.store.readReport(ref) === undefined),
    ),
  )
}

/** The daemon that keeps this archive is told of the new dumps; without one what it would do is done here, so that `ls` tells of them. */
async function settle(site: Site, imported: readonly Imported[]): Promise<void> {
  if (imported.length === 0) return
  const { analyseDump, encryptDump, expectedRow, nudgeDaemon } = await import('../../daemon/index.ts')
  const refs = imported.map(({ ref }) => ref)
  await site.refresh(refs)
  const ids = refs.map(({ id }) => id)
  if (!site.foreign && (await nudgeDaemon(site.config.run, ids))) return
  const { store, config } = site
  const { encryptTo: recipients, analyseBeforeEncryption } = config
  const isAnalysed = recipients.length === 0 || analyseBeforeEncryption
  const leases = new Leases(store)
  const beat = setInterval(() => leases.beat(), leaseBeat).unref()
  using progress = startProgress(isAnalysed ? 'analysing' : 'encrypting', { format: n => count(n, 'dump') })
  for (const [i, ref] of refs.entries()) {
    progress.update(i, refs.length)
    using lease = leases.take(ref.id)
    // Another node's daemon has it in hand, and does the same.
    if (lease === undefined) continue
    try {
      // What came with a report keeps it: of a core that was encrypted or shrunk none as good can be made.
      const waits = expectedRow(store, ref, false)?.analysis === 'pending'
      if (isAnalysed && waits) await analyseDump(ref, { store, config })
    } catch (error) {
      // Its core stays plain: what is encrypted is analysed no more.
      complainOf(error, `Could not analyse ${ref.id} now, a daemon tries again`)
      continue
    }
    if (recipients.length === 0) continue
    const options = { recipients, user: config.analysis.user, isHeld: () => lease.isHeld() }
    await encryptDump(store, ref, options).catch(error =>
      complainOf(error, `Could not encrypt the core of ${ref.id}, it stays as it is`),
    )
  }
  clearInterval(beat)
  await site.refresh(refs)
}

function complainOf(error: unknown, what: string): void {
  process.exitCode ||= exitOf(error)
  sayTo(2)(`gocore-sink: ${what}: ${reasonOf(error)}`)
}

async function* workOf(site: Site, path: string, exe: string | undefined): AsyncGenerator<Work> {
  const refused = (error: Error): Work => ({ label: path, searched: false, run: () => Promise.reject(error) })
  if (!existsSync(path)) return yield refused(new NotFoundError('there is no such file'))
  const file = (name: string, searched: boolean): Work => ({
    label: name,
    searched,
    run: async () => {
      const { importFile } = await import('../import-file.ts')
      return importFile(site.store, name, exe, site.config.redact)
    },
  })
  if (!statSync(path).isDirectory()) return yield file(path, false)
  if (exe !== undefined)
    return yield refused(new UsageError('it is a directory, and --exe names the program of one core'))
  if (existsSync(join(path, 'format.json'))) {
    yield* dumpsOf(openLocalStore(path), site.store)
    return
  }
  const names = readdirSync(path, { recursive: true, withFileTypes: true })
  for (const found of names) if (found.isFile()) yield file(join(found.parentPath, found.name), true)
}

/** What can't be listed or read there fails by its name, behind the others. */
async function* dumpsOf(from: LocalStore, store: LocalStore): AsyncGenerator<Work> {
  const failed: Work[] = []
  const fail = (label: string, error: Error): void => {
    failed.push({ label, searched: false, run: () => Promise.reject(error) })
  }
  const labelOf = ({ id }: DumpRef): string => `${id} of ${from.root}`
  const dumps = from.list({ onBroken: (ref, error) => fail(labelOf(ref), error), onUnlisted: fail })
  for (const dump of dumps)
    yield {
      label: labelOf(dump),
      searched: false,
      run: () =>
        dump.manifest.core.continues === undefined
          ? importOnce(store, dump.id, watch => importDump(store, from, dump, watch))
          : importRest(store, from, dump),
    }
  const { begunIn, importUnfinished } = await import('../../daemon/index.ts')
  for (const ref of begunIn(from))
    yield {
      label: labelOf(ref),
      searched: false,
      run: () => importOnce(store, ref.id, watch => importUnfinished(store, from, ref, watch)),
    }
  yield* failed
}
