/** Goroutines of the runtime itself: runtime.isSystemGoroutine with fixed=false. */
import type { Symtab } from '../gosym/index.ts'
import type { Goroutine } from './goroutine.ts'
import { type StateContext, waitReasonText } from './state-text.ts'

/** All that start in package runtime, but for those that run the program's own code. */
export function isSystemGoroutine(g: Goroutine, symtab: Symtab, state: StateContext): boolean {
  const func = symtab.findFunc(g.startpc)
  switch (func?.role) {
    case undefined:
      return func?.name.startsWith('runtime.') ?? false
    case 'runtimeMain':
    case 'corostart':
    case 'handleAsyncEvent':
      return false
    case 'runFinalizers':
      // The runtime's flag for a finalizer in progress has no address here; without one it waits.
      return waitReasonText(g, state) === 'finalizer wait'
    case 'runCleanups': {
      const offset = state.layout.find('g.runningCleanups')
      return offset === undefined || state.memory.u8(g.addr + offset) === 0
    }
    default:
      return true
  }
}
