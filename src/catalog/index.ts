export type { Catalog, CrashFilter, CrashRow, CrashText, SignatureRow } from './catalog.ts'
export { isDamage, type OpenOptions, openCatalog } from './sqlite/open.ts'
