/** The inputs that a repository should carry: the shortest that together come to all places that any came to. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { carried, carriedFile, grown } from './corpus.ts'
import { type Damage, formatDamage } from './damage.ts'
import type { SearchOptions } from './search.ts'
import type { Seed } from './target.ts'
import { tryInput } from './trial.ts'

/** Bytes of the file, and milliseconds of one input, so that it can be tried by everybody each day. */
const most = { bytes: 48 * 1024, ms: 300 } as const

/** Writes the file; answers how many inputs it has. */
export function writeCover(options: Omit<SearchOptions, 'random'>): number {
  const { target, coverage, times, onTry, onOutcome } = options
  const seeds = target.seeds()
  const attempt = (damage: Damage, seed: Seed): number => {
    let ms = 0
    onTry(damage)
    coverage.of(() => {
      const outcome = tryInput(target, seed, damage, times)
      onOutcome(damage, outcome)
      ms = outcome.ms
    })
    return ms
  }
  for (const seed of seeds) attempt({ seed: seed.source.name, edits: [] }, seed)
  const lines: string[] = []
  let bytes = 0
  for (const { line, damage } of shortestFirst([...carried(target.name), ...grown(target.name)])) {
    const seed = seeds.find(({ source }) => source.name === damage.seed)
    if (seed === undefined || bytes + line.length > most.bytes) continue
    const before = coverage.places
    if (attempt(damage, seed) > most.ms || coverage.places === before) continue
    lines.push(line)
    bytes += line.length
  }
  mkdirSync(dirname(carriedFile(target.name)), { recursive: true })
  writeFileSync(carriedFile(target.name), lines.map(line => `${line}\n`).join(''))
  return lines.length
}

function shortestFirst(all: readonly Damage[]): { line: string; damage: Damage }[] {
  return all
    .map(damage => ({ line: formatDamage(damage), damage }))
    .sort((a, b) => a.line.length - b.line.length || (a.line < b.line ? -1 : 1))
}
