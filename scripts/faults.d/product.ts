/** What of the product the campaign judges by. */
export { readAnalysisRecord } from '../../src/daemon/analysis-record.ts'
export { reindex, syncCatalog } from '../../src/daemon/sync.ts'
export { isFinding, verify } from '../../src/daemon/verify.ts'
