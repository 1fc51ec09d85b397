export { type BuildInfo, findBuildInfo, type GoModule } from './buildinfo.ts'
export type { GoFunc, LogicalFrame, SourceLine } from './func.ts'
export { funcNameForPrint, isExportedRuntime, printedFuncName } from './func-name.ts'
export { elideWrapperCalling, type FuncRole, funcRole, wrapperFuncID } from './func-role.ts'
export {
  findModules,
  halves,
  type ModuleData,
  pieces,
  readable,
  readModule,
  scanWords,
} from './moduledata.ts'
export { findPclntab, type PclnHeader } from './pclntab.ts'
export { FuncData, FuncFlag, PcData } from './pclntab-versions.ts'
export { openSymtab, type Symtab } from './symtab.ts'
