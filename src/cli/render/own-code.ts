/** Which functions are the program's own: what a reader wants to see first. */
import type { Frame, Report } from '../../engine/report/report.ts'

/**
 * Functions of package main and of the main module; then, where the module isn't known, everything whose package path
 * begins with a host name. The standard library's import paths have no dot in their first element (go help
 * importpath).
 */
export function ownCode(report: Pick<Report, 'go' | 'program'>): (symbol: string) => boolean {
  const module = report.go?.main?.path
  if (report.program.language !== 'go') return symbol => symbol !== '' && !symbol.startsWith('runtime.')
  return symbol => {
    if (symbol.startsWith('main.')) return true
    if (module !== undefined && module !== '') {
      if (symbol.startsWith(`${module}/`) || symbol.startsWith(`${module}.`)) return true
      // A module path without a dot, as in `module shop`, has packages that look like the standard library's.
      return false
    }
    return symbol.slice(0, symbol.indexOf('/') + 1).includes('.')
  }
}

/** The frame that says most in one line: the first of the program's own, else of a dependency, else the first. */
export function tellingFrame(frames: readonly Frame[], own: (symbol: string) => boolean): Frame | undefined {
  const shown = frames.filter(frame => !frame.hidden)
  return (
    shown.find(f => own(f.function)) ??
    shown.find(f => dependency(f.function)) ??
    shown.find(library) ??
    // `sync.(*Mutex).Lock` rather than `sync.runtime_SemacquireMutex`.
    shown.find(({ function: symbol }) => !/\.runtime_/.test(symbol)) ??
    shown[0] ??
    frames[0]
  )
}

const dependency = (symbol: string): boolean => {
  const slash = symbol.indexOf('/')
  return slash > 0 && symbol.slice(0, slash).includes('.')
}

/** Of the standard library, but not of its bottom: `net/http.(*connReader).Read` rather than `internal/poll.…`. */
const library = ({ function: symbol }: Frame): boolean =>
  !/^(?:runtime|sync|syscall|time|os|net|io|bufio|reflect)\./.test(symbol) &&
  !/^(?:internal|runtime|sync)\//.test(symbol)
