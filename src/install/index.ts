/** What changes the machine, and what looks at it. The command line's verbs of the same names call these. */
export {
  type DoctorOptions,
  doctor,
  type Finding,
  type FindingStatus,
  formatFindings,
} from './doctor/index.ts'
export { type InstallOptions, install } from './install.ts'
export { endAs, type RunOptions, type RunOutcome, runProgram } from './run.ts'
export { type TestCrashOptions, type TestCrashResult, testCrash } from './test-crash.ts'
export { type UninstallOptions, uninstall } from './uninstall.ts'
