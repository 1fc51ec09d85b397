/**
 * One core file into the archive, with all that it and its name tell of the process. Both are a stranger's words: what the
 * manifest gets of them is escaped and redacted as the handler does it.
 */
import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, resolve } from 'node:path'
import {
  hasExecutable,
  type Imported,
  type ImportFacts,
  idOfCore,
  importCore,
  type LocalStore,
} from '../archive/index.ts'
import { escapeText, visibleText } from '../base/escape.ts'
import { compileRedactions, redactArguments } from '../base/redact.ts'
import { toolVersion } from '../base/version.ts'
import { signalName } from '../engine/index.ts'
import { openUnpacked } from '../source/index.ts'
import { importMissing, importOnce } from './import-once.ts'
import { startProgress } from './render/progress.ts'
import { openSession, type Session } from './session.ts'

export interface CoreImported extends Imported {
  /** The dump was there without its executable, and has it now. */
  readonly isCompleted?: boolean
  /** Path of the executable, where the dump lacks it and this machine has none that fits. */
  readonly missing?: string
}

/** Throws FormatError where the file is no core, MismatchError where `exe` is not its program. */
export async function importFile(
  store: LocalStore,
  path: string,
  exe: string | undefined,
  redact: readonly string[],
): Promise<CoreImported> {
  using session = openSession({ path, label: path, exe, manifest: undefined, store: () => store })
  const { image, found } = session
  const { executable, libraries, executablePath } = image
  const fileOf = (name: string): string | undefined =>
    found.get(name.replace(/ \(deleted\)$/, '')) ?? found.get(name)
  const exeFile = executable && (exe ?? fileOf(executable.path))
  const program =
    executable && exeFile
      ? { path: escapeText(executablePath ?? executable.path), file: exeFile, open: openUnpacked }
      : undefined
  using progress = startProgress(`importing ${path}`)
  const imported = await importOnce(store, idOfCore(session.core), watch =>
    importCore(store, session.core, {
      facts: factsOf(session, path, redact),
      expectedSize: image.core.expectedSize,
      executable: program,
      libraries: libraries.flatMap(library => {
        const file = fileOf(library.path)
        return file === undefined ? [] : [{ path: escapeText(library.path), file, open: openUnpacked }]
      }),
      ...watch,
      onProgress: (done, of) => {
        watch.onProgress?.(done, of)
        progress.update(done, of)
      },
    }),
  )
  if (hasExecutable(store, imported.ref)) return imported
  if (!program) return executable ? imported : { ...imported, missing: executablePath ?? '(unknown)' }
  await importMissing(store, imported.ref, program)
  return { ...imported, isCompleted: true }
}

function factsOf({ image }: Session, path: string, redact: readonly string[]): ImportFacts {
  const { core, executablePath } = image
  const named = parseSystemdName(basename(path))
  const { psinfo, siginfo, threads } = core
  const number = siginfo?.signo ?? 0
  const args = psinfo?.psargs
    .trimEnd()
    .split(' ')
    .map(arg => escapeText(arg))
  return {
    tool: { version: toolVersion, node: process.version },
    host: { name: hostname(), ...(named ? { boot_id: named.bootId } : {}) },
    time: (named?.time ?? statSync(path).mtime).toISOString(),
    process: {
      pid: named?.pid ?? psinfo?.pid ?? 0,
      ...(threads[0] ? { tid: threads[0].tid } : {}),
      uid: named?.uid ?? psinfo?.uid ?? 0,
      gid: psinfo?.gid ?? 0,
      // systemd has escaped what it puts into names.
      comm: psinfo ? escapeText(psinfo.fname) : visibleText(named?.comm ?? 'unknown'),
      ...(executablePath === undefined ? {} : { exe: escapeText(executablePath) }),
      ...(psinfo?.psargs && args ? { cmdline: redactArguments(args, compileRedactions(redact)) } : {}),
      threads: threads.length,
    },
    signal: { number, name: number > 0 ? signalName(number) : 'none' },
    rlimit_core: 'unknown',
    imported_from: visibleText(resolve(path)),
    notes: named ? [] : ["The time is the file's, the host is the one that imported it."],
  }
}

export interface SystemdName {
  readonly comm: string
  readonly uid: number
  readonly bootId: string
  readonly pid: number
  readonly time: Date
}

/** `core.COMM.UID.BOOTID.PID.USEC`, with what it is packed with behind (systemd, src/coredump: make_filename). */
export function parseSystemdName(name: string): SystemdName | undefined {
  const match =
    /^core\.(.+)\.(\d{1,10})\.([0-9a-f]{32})\.(\d{1,10})\.(\d{13,16})(?:\.(?:zst|lz4|xz|gz))?$/.exec(name)
  if (!match) return undefined
  const [, comm, uid, boot, pid, stamp] = match
  const bootId = boot!.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const time = new Date(Math.floor(Number(stamp) / 1000))
  return Number.isNaN(time.getTime())
    ? undefined
    : { comm: comm!, uid: Number(uid), bootId, pid: Number(pid), time }
}
