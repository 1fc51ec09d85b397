/** Which layout of the runtime's structures fits this program: its version's, or the one that finds goroutines. */
import type { Memory } from '../core/memory.ts'
import type { Warnings } from '../core/warnings.ts'
import { findAllgs } from './allgs.ts'
import type { DataSlices } from './data-slices.ts'
import type { GoVersion } from './go-version.ts'
import { GOffsets, Goroutine } from './goroutine.ts'
import { newestMinor, oldestMinor, RuntimeLayout } from './layouts/layout.ts'

/** The version's own layout if goroutines are found by it; else the one that finds most. */
export function chooseLayout(
  memory: Memory,
  variables: readonly DataSlices[],
  version: GoVersion | undefined,
  warnings: Warnings,
): { layout: RuntimeLayout; source: 'table' | 'guess'; allgs: Float64Array | undefined } {
  const known = version !== undefined && version.minor >= oldestMinor && version.minor <= newestMinor
  const wanted = new RuntimeLayout(version?.minor ?? newestMinor)
  const own = findAllgs(memory, wanted, variables)
  if (known && own) return { layout: wanted, source: 'table', allgs: own.addrs }
  let best = { layout: wanted, score: own ? plausible(memory, wanted, own.addrs) : 0, allgs: own?.addrs }
  for (let minor = newestMinor; minor >= oldestMinor; minor--) {
    const layout = new RuntimeLayout(minor)
    const found = minor === wanted.minor ? undefined : findAllgs(memory, layout, variables)
    const score = found ? plausible(memory, layout, found.addrs) : 0
    if (score > best.score) best = { layout, score, allgs: found?.addrs }
  }
  if (known && best.layout === wanted) return { layout: wanted, source: 'table', allgs: best.allgs }
  warnings.add(
    'layout-guessed',
    `The runtime's structures of ${version?.text ?? 'this unknown Go version'} are not known exactly; those of Go 1.${best.layout.minor} are used.`,
  )
  return { layout: best.layout, source: 'guess', allgs: best.allgs }
}

/** How many of the goroutines have an id and a status that can be. */
function plausible(memory: Memory, layout: RuntimeLayout, addrs: Float64Array): number {
  const offsets = new GOffsets(layout, memory.ptrSize)
  const ids = new Set<number>()
  for (const addr of addrs.subarray(0, 1000)) {
    try {
      const g = new Goroutine(memory, offsets, addr)
      if (g.statusName !== 'unknown' && g.id > 0 && g.id < 2 ** 40) ids.add(g.id)
    } catch {
      // Not plausible.
    }
  }
  return ids.size
}
