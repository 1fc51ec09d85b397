/** Code that no input comes to, of the modules that any comes to: what a search lacks are seeds that lead there. */
import type { ModulePlaces } from './coverage.ts'

/** A line for each module: places reached of how many, and the lines of the others. */
export function formatUnreached(all: readonly ModulePlaces[]): string {
  const byPath = new Map<string, readonly number[]>()
  for (const { path, lines } of all) {
    const before = byPath.get(path)
    byPath.set(path, before === undefined ? lines : lines.map((line, at) => Math.max(line, before[at]!)))
  }
  return [...byPath]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, lines]) => {
      const missing = [...new Set(lines.filter(line => line < 0))].map(line => -line)
      const reached = lines.length - lines.filter(line => line < 0).length
      return `${path} ${reached} of ${lines.length}${missing.length > 0 ? `: ${missing.join(' ')}` : ''}\n`
    })
    .join('')
}
