/** The program's own files, wherever it runs from: a checkout with a built dist/, or an installed version. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SystemError } from '../base/errors.ts'
import type { TreeEntry } from './step.ts'

export interface Product {
  /** Holds dist/, systemd/, man/ and package.json. */
  readonly root: string
  readonly version: string
  /** The Node that runs now, which the installed product brings along. */
  readonly node: string
}

/** What a version consists of besides Node; the fixture is what `test-crash` crashes. */
const parts: readonly { folder: string; optional?: boolean }[] = [
  { folder: 'dist' },
  { folder: 'systemd' },
  { folder: 'man', optional: true },
  { folder: 'test/fixtures/till', optional: true },
]

export function findProduct(from: string = import.meta.dirname): Product {
  for (let folder = from; ; folder = dirname(folder)) {
    const about = readAbout(join(folder, 'package.json'))
    if (about?.name === 'gocore-sink')
      return { root: folder, version: about.version ?? '0', node: process.execPath }
    if (folder === dirname(folder))
      throw new SystemError(
        `Cannot find the program's own files above ${from}: no package.json of gocore-sink`,
      )
  }
}

function readAbout(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }
  } catch {
    return undefined
  }
}

/** Every file of an installed version, in a fixed order. */
export function productEntries(product: Product): TreeEntry[] {
  const entries: TreeEntry[] = [
    { to: 'package.json', from: join(product.root, 'package.json'), mode: 0o644 },
    { to: 'bin/node', from: product.node, mode: 0o755 },
  ]
  for (const { folder, optional } of parts) {
    const path = join(product.root, folder)
    if (!existsSync(path)) {
      if (optional) continue
      throw new SystemError(
        `Cannot install from ${product.root}: it has no ${folder}/; build it with "npm run build"`,
      )
    }
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()
    for (const name of names)
      if (statSync(join(path, name)).isFile() && !name.startsWith('.'))
        entries.push({ to: join(folder, name), from: join(path, name), mode: 0o644 })
  }
  return entries
}

/** `0.1.0-3fa29c0b71de`: the version and a digest of all files, so that another build is another directory. */
export function versionName(product: Product, entries: readonly TreeEntry[]): string {
  const digest = createHash('sha256').update(process.version)
  for (const { to, from } of entries) {
    digest.update(`\0${to}\0`)
    // Node's own version says enough of its 120 MB.
    if (from !== undefined && from !== product.node) digest.update(readFileSync(from))
  }
  return `${product.version}-${digest.digest('hex').slice(0, 12)}`
}
