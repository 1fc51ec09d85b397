/** Manual pages and shell completions: files for people, made from the product. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from './layout.ts'
import type { Product } from './product.ts'

export interface GeneratedFile {
  readonly path: string
  readonly text: string
}

export function generatedFiles(layout: Layout, product: Product): GeneratedFile[] {
  return [...manualPages(layout, product), ...completions(layout, product)]
}

function manualPages(layout: Layout, product: Product): GeneratedFile[] {
  const folder = join(product.root, 'man')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => /\.[1-9]$/.test(name))
    .sort()
    .map(name => ({
      path: join(layout.man, `man${name.at(-1)}`, name),
      text: readFileSync(join(folder, name), 'utf8'),
    }))
}

/** Asks the program itself, which knows its verbs; one that can't say leaves that shell without. */
function completions(layout: Layout, product: Product): GeneratedFile[] {
  return (['bash', 'zsh', 'fish'] as const).flatMap(shell => {
    try {
      const text = execFileSync(
        product.node,
        ['--disable-warning=ExperimentalWarning', join(product.root, 'dist/cli.cjs'), 'completion', shell],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 20_000 },
      )
      return [{ path: layout.completions[shell], text }]
    } catch {
      return []
    }
  })
}
