/**
 * Debug information of another build of the same code: its functions are where the program's are, its variables may have
 * moved.
 */
import type { DebugInfo, Global } from './debug-info.ts'

/** `translate` gives the address in the program for one in the other build, or undefined where it is not known. */
export function withMovedGlobals(
  info: DebugInfo,
  translate: (addr: number) => number | undefined,
): DebugInfo {
  const moved = (global: Global): Global => {
    const { addr, ...rest } = global
    if (addr === undefined) return global
    const here = translate(addr)
    if (here !== undefined) return { ...rest, addr: here }
    // An empty location is that of a variable that is nowhere.
    return { ...rest, location: { ...global.location, bytes: new Uint8Array(0) } }
  }
  return {
    functionAt: addr => info.functionAt(addr),
    findFunctions: name => info.findFunctions(name),
    findGlobal(name) {
      const global = info.findGlobal(name)
      return global && moved(global)
    },
    findConstant: name => info.findConstant(name),
    findType: name => info.findType(name),
    typeOfDescriptor: addr => info.typeOfDescriptor(addr),
    functionNames: () => info.functionNames(),
    globalNames: () => info.globalNames(),
    typeNames: () => info.typeNames(),
    hasPackage: name => info.hasPackage(name),
    packages: () => info.packages(),
    sources: () => info.sources(),
    lineAt: addr => info.lineAt(addr),
    addressesOf: (file, line) => info.addressesOf(file, line),
    index: () => info.index(),
    get warnings() {
      return info.warnings
    },
  }
}
