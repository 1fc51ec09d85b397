/** From a manifest and a report to what the catalog keeps of them. */
import { basename } from 'node:path'
import type { Manifest } from '../archive/manifest.ts'
import type { ArchiveStore, DumpEntry, DumpRef } from '../archive/store.ts'
import type { CrashRow, CrashText } from '../catalog/index.ts'
import type { Frame, GoFacts, Report } from '../engine/report/report.ts'
import { type AnalysisRecord, standingOf } from './analysis-record.ts'

export interface RowParts {
  report?: Report | undefined
  record?: AnalysisRecord | undefined
  pinned: boolean
  /** Nothing is told that its memory held: others read the catalog than may read this dump (CVE-2022-4415). */
  hidden?: boolean
}

/** Texts of dumps are as long as whoever crashed wanted them to be. */
const mostText = 1000
const mostFrames = 4000

export function rowOf(entry: DumpEntry, parts: RowParts): { row: CrashRow; text: CrashText } {
  const { manifest } = entry
  const { report, hidden = false } = parts
  const row: CrashRow = {
    ...factsOf(entry),
    pinned: parts.pinned,
    ...(report ? { analysis: 'done', analysisError: null } : standingOf(manifest, parts.record)),
    goVersion: report?.go?.version.slice(0, 100) ?? manifest.go_version ?? null,
    programVersion: programVersionOf(report?.go),
    deathKind: report?.death.kind ?? null,
    cause: report ? cut(report.death.message.split('\n')[0]!) : null,
    causeAt: report ? causeAt(report) : null,
    signatureKey: report?.signature.key.slice(0, 100) ?? null,
    signatureText: report ? cut(report.signature.text) : null,
    goroutines: report?.go ? report.goroutineCount : null,
  }
  return hidden
    ? { row: { ...row, ...wordless(row) }, text: { message: '', frames: '' } }
    : { row, text: textOf(manifest, report) }
}

/** The kind of a death, and its key among others, are no words of the program. */
const wordless = ({ analysisError }: CrashRow): Partial<CrashRow> => ({
  ...{ cause: null, causeAt: null, signatureText: null, programVersion: null },
  analysisError: analysisError && 'analysis.json says why',
})

/**
 * More people read the journal, or hear from hooks, than may read a dump that is root's alone, with or without a group. What
 * can't be told is taken to be one.
 */
export const isOpen = (store: ArchiveStore, ref: DumpRef): boolean => manifestOf(store, ref)?.dumpable === 1

/** A row as everybody may know it, by its dump's manifest. */
export const openRow = (row: CrashRow, manifest: Manifest | undefined): CrashRow =>
  manifest?.dumpable === 1 ? row : { ...row, ...wordless(row) }

/** What was brought from elsewhere is no crash of this machine's, whatever host it names. */
export const isImported = (manifest: Manifest | undefined): boolean => manifest?.imported_from !== undefined

/** Undefined where it can't be read: the dump was removed in this moment, say. */
export function manifestOf(store: ArchiveStore, ref: DumpRef): Manifest | undefined {
  try {
    return store.readManifest(ref)
  } catch {
    return undefined
  }
}

const cut = (text: string): string => (text.length > mostText ? `${text.slice(0, mostText)}…` : text)

type Facts = 'day' | 'time' | 'host' | 'pid' | 'uid' | 'comm' | 'exe' | 'signal' | 'signalName'
type CoreFacts =
  | 'coreState'
  | 'coreReason'
  | 'rawSize'
  | 'storedSize'
  | 'expectedSize'
  | 'heldMs'
  | 'shrunk'
  | 'held'

function factsOf({ id, day, manifest }: DumpEntry): Pick<CrashRow, 'id' | Facts | CoreFacts> {
  const { process, signal, core, host } = manifest
  return {
    id,
    day,
    time: Date.parse(manifest.time),
    host: cut(host.name),
    pid: process.pid,
    uid: process.uid,
    comm: cut(process.comm),
    exe: cut(process.exe ?? ''),
    signal: signal.number,
    signalName: signal.name,
    coreState: core.state,
    coreReason: core.reason ?? null,
    // What it was before it was shrunk: the row tells of the crash.
    rawSize: core.shrunk?.raw_size ?? core.raw_size,
    storedSize: core.stored_size,
    expectedSize: (core.shrunk ?? core).expected_size ?? null,
    shrunk: core.shrunk !== undefined,
    held: manifest.hold !== undefined,
    heldMs: manifest.held_ms,
  }
}

/** The main module's version; for a build in its own checkout, which has none, the revision. */
function programVersionOf(go: GoFacts | undefined): string | null {
  const version = go?.main?.version
  if (version && version !== '(devel)') return version.slice(0, 100)
  const revision = go?.vcs?.revision?.slice(0, 12)
  return revision ? `${revision}${go?.vcs?.modified ? '+dirty' : ''}` : null
}

/**
 * Where the program's own code stood: the first frame of the guilty stack that is not the runtime's. Null where there is
 * none to name: a deadlock is nobody's, and of C code only the file is known.
 */
function causeAt(report: Report): string | null {
  const guilty = report.goroutines.find(({ id }) => id === report.death.goroutine)
  const thread = report.go ? undefined : report.threads.find(({ crashed }) => crashed)
  const frame = (guilty?.frames ?? thread?.frames ?? []).find(isOwn)
  return frame ? cut(`${basename(frame.file)}:${frame.line}`) : null
}

const isOwn = ({ function: name, file, line, hidden }: Frame): boolean =>
  !hidden &&
  line > 0 &&
  name !== 'panic' &&
  !file.endsWith('_cgo_gotypes.go') &&
  !/^(runtime|internal|sync|syscall)(\/[^.]*)?\./.test(name)

/** What full-text search reads: all that was said, and the distinct places of all stacks. */
function textOf(manifest: Manifest, report: Report | undefined): CrashText {
  if (!report) return { message: manifest.core.detail ?? '', frames: '' }
  const { death } = report
  // The message of a panic has its text behind `panic: `.
  const texts = death.panics.map(({ text }) => text).filter(text => !death.message.includes(text))
  const said = [death.message, ...texts, death.printed ?? ''].flatMap(text => text.split('\n'))
  const places = new Set<string>()
  for (const frame of framesOf(report)) {
    places.add(cut(`${frame.function} ${basename(frame.file)}:${frame.line}`))
    if (places.size >= mostFrames) break
  }
  return {
    message: [...new Set(said.filter(Boolean))].join('\n').slice(0, 64 * 1024),
    frames: [...places].join('\n'),
  }
}

function* framesOf(report: Report): Generator<Frame> {
  for (const { frames } of report.goroutines.filter(({ id }) => id === report.death.goroutine)) yield* frames
  for (const { frames } of report.groups) yield* frames
  for (const { frames } of report.threads) yield* frames
}
