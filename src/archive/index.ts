/** The archive: dumps and binaries as plain files. */

export type { BinaryInfo } from './binaries.ts'
export { findBuildId } from './build-id.ts'
export { initializeStore } from './format.ts'
export {
  type CoreContent,
  dropReport,
  hasExecutable,
  type Imported,
  type ImportedFile,
  type ImportFacts,
  type ImportOptions,
  type ImportWatch,
  idOfCore,
  importBinaries,
  importCore,
  importDump,
  importExecutable,
  importPin,
} from './import.ts'
export { latestDays } from './latest-days.ts'
export { dayOf, idPattern, keyPattern, newId } from './layout.ts'
export { LocalStore, type LocalStoreOptions, openLocalStore } from './local-store.ts'
export {
  formatHold,
  type Hold,
  type Manifest,
  type ProcessFacts,
  parseManifest,
  type Shrunk,
  type StoredBinary,
  type StoredCore,
  type TruncationReason,
} from './manifest.ts'
export type { ArchiveStore, DumpEntry, DumpRef, Pin } from './store.ts'
