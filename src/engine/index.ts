/** The engine's face: a core and its files in, a report or its parts out. */
export { type ByteSource, bytesSource } from './bytes/byte-source.ts'
export type { FileProvider, FileRequest } from './core/file-provider.ts'
export * from './disasm/index.ts'
export {
  type AnalyseOptions,
  analyse,
  defaultMaxGoroutines,
  openCore,
  type Process,
} from './report/process.ts'
export * from './report/report.ts'
export { signalCodeName, signalName, signalText } from './runtime/death-signals.ts'
