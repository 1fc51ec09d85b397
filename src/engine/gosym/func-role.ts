/**
 * The functions that stack walks treat specially. `abi.FuncID` numbers them differently in almost every Go version,
 * so they are told by name; only wrappers, which have no name of their own, are told by number.
 */

const roles = {
  'runtime.gopanic': 'gopanic',
  'runtime.sigpanic': 'sigpanic',
  'runtime.panicwrap': 'panicwrap',
  'runtime.asyncPreempt': 'asyncPreempt',
  'runtime.debugCallV2': 'debugCall',
  'runtime.debugCallV1': 'debugCall',
  'runtime.cgocallback': 'cgocallback',
  'runtime.morestack': 'morestack',
  'runtime.systemstack': 'systemstack',
  'runtime.systemstack_switch': 'systemstackSwitch',
  'runtime.mcall': 'mcall',
  'runtime.main': 'runtimeMain',
  'runtime.corostart': 'corostart',
  'runtime.handleAsyncEvent': 'handleAsyncEvent',
  'runtime.runfinq': 'runFinalizers',
  'runtime.runFinalizers': 'runFinalizers',
  'runtime.runCleanups': 'runCleanups',
  'runtime.sigtramp': 'sigtramp',
  'runtime.fatalpanic': 'fatalpanic',
  'runtime.fatalthrow': 'fatalthrow',
} as const

export type FuncRole = (typeof roles)[keyof typeof roles]

const byName: ReadonlyMap<string, FuncRole> = new Map(Object.entries(roles))

export function funcRole(name: string): FuncRole | undefined {
  return name.startsWith('runtime.') ? byName.get(name) : undefined
}

/**
 * `abi.FuncIDWrapper`, always the last of the list: internal/abi/symtab.go, before Go 1.21 runtime/symtab.go. Go 1.22
 * added corostart, Go 1.25 runCleanups.
 */
export function wrapperFuncID(goMinor: number): number {
  if (goMinor >= 25) return 23
  return goMinor >= 22 ? 22 : 21
}

/** runtime.elideWrapperCalling: a wrapper that called a panic function is shown. */
export function elideWrapperCalling(callee: FuncRole | undefined): boolean {
  return callee !== 'gopanic' && callee !== 'sigpanic' && callee !== 'panicwrap'
}
