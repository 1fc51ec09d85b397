/**
 * Inputs that led somewhere, one line of text each. Those that the repository carries, in test/fuzz/corpus, with what once
 * was a find in test/fuzz/finds; and those that runs on this machine have added, in .tools/fuzz, where new finds are as well.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Damage, formatDamage, parseDamage } from './damage.ts'

const root = join(import.meta.dirname, '../..')
const own = join(root, '.tools/fuzz')

export const carriedFile = (target: string): string => join(root, 'test/fuzz/corpus', `${target}.jsonl`)
const grownFile = (target: string): string => join(own, `${target}.jsonl`)

export const carried = (target: string): Damage[] => read(carriedFile(target))
/** What must never happen again. */
export const mended = (target: string): Damage[] => read(join(root, 'test/fuzz/finds', `${target}.jsonl`))
export const grown = (target: string): Damage[] => read(grownFile(target))

/** Lines that can be read; one may be cut by the end of the process that wrote it. */
function read(path: string): Damage[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [parseDamage(line)]
    } catch {
      return []
    }
  })
}

export function keep(target: string, damage: Damage): void {
  mkdirSync(own, { recursive: true })
  appendFileSync(grownFile(target), `${formatDamage(damage)}\n`)
}

/** A file with what must not happen again; answers its path. */
export function keepFind(target: string, damage: string, name: string): string {
  const dir = join(own, 'finds')
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${target}-${name}.json`)
  writeFileSync(path, `${damage}\n`)
  return path
}
