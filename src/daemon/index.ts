/** The use-cases of the daemon, for the daemon itself and for commands. */
export { type AnalyseOptions, type AnalysisOutcome, analyseDump } from './analyse.ts'
export { type AnalysisRecord, readAnalysisRecord } from './analysis-record.ts'
export { encryptDump } from './encrypt.ts'
export {
  eventOf,
  type GcAction,
  type GcOptions,
  type GcResult,
  runGc,
  sentenceOf,
  unreadSentence,
} from './gc.ts'
export { begunIn, importUnfinished } from './import-begun.ts'
export { joinDump } from './join.ts'
export { catalogPath, openArchive } from './maintenance.ts'
export { noteInJournal } from './monitor/journal.ts'
export { nudgeDaemon, socketPath } from './nudge.ts'
export { parseReport } from './report-file.ts'
export { rowOf } from './row.ts'
export { type DaemonOptions, runDaemon } from './run.ts'
export {
  type ShrinkOptions,
  type ShrinkOutcome,
  shrinkDump,
  shrinker,
  whyNotShrunk,
} from './shrink.ts'
export { expectedRow, reindex, type SyncOptions, type SyncResult, syncCatalog, syncDump } from './sync.ts'
export { type Finding, isFinding, type VerifyOptions, type VerifyProgress, verify } from './verify.ts'
