/** The engine's face: a core and its files in, a report or its parts out. */
export { type ByteSource, bytesSource } from './bytes/byte-source.ts'
export type { ExtendedState } from './core/extended-state.ts'
export type { FileProvider, FileRequest } from './core/file-provider.ts'
export * from './disasm/index.ts'
export { amd64DwarfNames } from './dwarf/unwind.ts'
export type { ProcessFault } from './report/fault.ts'
export {
  type AnalyseOptions,
  analyse,
  defaultMaxGoroutines,
  openCore,
  type Process,
} from './report/process.ts'
export * from './report/report.ts'
export { signalCodeName, signalName, signalText } from './runtime/death-signals.ts'
export type {
  Frame as StackFrame,
  FrameRegisters,
  RegisterOrigin,
  RegisterValue,
  Stack,
  Subject,
} from './scope/frame.ts'
export { stackOf } from './scope/stack-of.ts'
