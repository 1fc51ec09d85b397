/** Function names as the runtime's traceback prints them. */

/**
 * Go 1.21 and later keep a generic function's type arguments in its name and print `[...]` in their place
 * (runtime.funcNamePiecesForPrint); before, the linker had put `[...]` there. Go 1.27 has generic methods, with
 * brackets on both receiver and method.
 */
export function funcNameForPrint(name: string, goMinor: number): string {
  const open = name.indexOf('[')
  if (open < 0) return name
  const close = name.lastIndexOf(']')
  if (close <= open) return name
  const outer = `${name.slice(0, open)}[...]${name.slice(close + 1)}`
  const interior = name.slice(open + 1, close)
  if (goMinor < 27 || !interior.includes('[')) return outer
  let depth = 1
  let [rightAt, leftAt] = [-1, -1]
  for (let i = 0; i < interior.length; i++) {
    if (interior[i] === '[') {
      depth++
      if (depth !== 1) continue
      // The first `]___[` between balanced brackets decides.
      leftAt = i
      break
    }
    if (interior[i] === ']') {
      depth--
      if (depth < 0) break
      if (depth === 0) rightAt = i
    }
  }
  if (depth !== 1) return name
  if (rightAt >= 0 && leftAt > rightAt)
    return `${name.slice(0, open)}[...]${interior.slice(rightAt + 1, leftAt)}[...]${name.slice(close + 1)}`
  return rightAt < 0 && leftAt < 0 ? outer : name
}

/** runtime.printFuncName, and what printed names before Go 1.21. */
export function printedFuncName(name: string, goMinor: number): string {
  return name === 'runtime.gopanic' ? 'panic' : funcNameForPrint(name, goMinor)
}

/** runtime.isExportedRuntime; before Go 1.23 the receiver was not looked at. */
export function isExportedRuntime(name: string, goMinor: number): boolean {
  const prefix = 'runtime.'
  if (!name.startsWith(prefix)) return false
  const rest = name.slice(prefix.length)
  const upper = (text: string): boolean => /^[A-Z]/.test(text)
  if (goMinor < 23) return upper(rest)
  const dot = rest.lastIndexOf('.')
  if (dot < 0) return upper(rest)
  const receiver = rest.slice(0, dot).replace(/^\(\*(.*)\)$/, '$1')
  return upper(rest.slice(dot + 1)) && (receiver === '' || upper(receiver))
}
