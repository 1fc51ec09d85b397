/** The engine's face: a core and its files in, a report or its parts out. */
export { type ByteSource, bytesSource } from './bytes/byte-source.ts'
export type { ExtendedState } from './core/extended-state.ts'
export type { FileProvider, FileRequest } from './core/file-provider.ts'
export { layOutMiniCore, type MiniCore } from './core/mini-core.ts'
export type { LoadedFile } from './core/process-image.ts'
export { type AddressRange, TouchedMemory } from './core/touched-memory.ts'
export { type Debugger, type DebuggerOptions, openDebugger } from './debugger.ts'
export * from './disasm/index.ts'
export type { DebugInfo } from './dwarf/debug-info.ts'
export { withMovedGlobals } from './dwarf/moved-globals.ts'
export { type DebugInfoOptions, openDebugInfo } from './dwarf/open-debug-info.ts'
export type { IndexCache } from './dwarf/sections.ts'
export { fitsSplit, isSplit } from './dwarf/split-fit.ts'
export type { SplitFiles } from './dwarf/split-units.ts'
export { amd64DwarfNames } from './dwarf/unwind.ts'
export { type DebugLink, hasDebugInfo, readDebugLink } from './elf/debug-link.ts'
export { type ElfFile, openElf } from './elf/file.ts'
export { addNeeded, type Essence, type NeededOptions, readEssence } from './needed-memory.ts'
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
export type { Deferred } from './scope/deferred.ts'
export type {
  Frame as StackFrame,
  FrameRegisters,
  RegisterOrigin,
  RegisterValue,
  Stack,
  Subject,
} from './scope/frame.ts'
export type { CodeLocation, GoroutineView } from './scope/goroutine-view.ts'
export type { Type as ProgramType } from './type/type.ts'
export type { Variable as ProgramVariable } from './type/variable.ts'
export { type FormatOptions, formatValue } from './value/format.ts'
export { quote } from './value/text.ts'
export {
  fullLimits,
  type NamedValue,
  shortLimits,
  type Value as ProgramValue,
  type ValueLimits,
} from './value/value.ts'
