export type { Catalog, CrashFilter, CrashRow, CrashText, SignatureRow } from './catalog.ts'
export { takeFileLock } from './sqlite/file-lock.ts'
export { copyCatalog, isDamage, isRefusal, isWordy, type OpenOptions, openCatalog } from './sqlite/open.ts'
