/**
 * Checks the import law of src/README.md: which folder may import which, and which of Node's modules.
 * Prints each refusal with the reason of its rule; also refuses cycles between folders.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

interface Rule {
  /** Folders of ours, or single files of one, that it may import besides itself. */
  readonly ours: readonly string[]
  /** Node's modules without `node:`; `*` for any. */
  readonly node: readonly string[]
  /** Packages. */
  readonly packages: readonly string[]
  readonly why: string
}

const everything = ['base', 'lz4', 'engine', 'archive', 'source', 'config', 'catalog', 'daemon', 'install']

export const law: Record<string, Rule> = {
  base: { ours: [], node: ['fs', 'path', 'crypto'], packages: [], why: 'everyone stands on it' },
  lz4: {
    ours: ['base'],
    node: ['module', 'path', 'url', 'fs'],
    packages: ['lz4'],
    why: 'shared by the writer in the handler and the readers',
  },
  engine: {
    ours: ['base/errors', 'base/brand', 'base/format', 'base/align'],
    node: ['zlib'],
    packages: [],
    why: 'bytes in, values out: it runs the same in a child process, a test or the command line',
  },
  archive: {
    ours: ['base', 'lz4'],
    node: ['fs', 'path', 'crypto', 'os'],
    packages: [],
    why: 'files outlive every database',
  },
  source: {
    ours: ['base', 'lz4', 'engine/bytes'],
    node: ['*'],
    packages: ['*'],
    why: 'opens files for the engine and knows nothing of what they hold',
  },
  handler: {
    ours: ['base', 'lz4', 'archive', 'config'],
    node: ['*'],
    packages: [],
    why: 'starts in the time that Node takes, and has nothing to break',
  },
  receiver: {
    ours: ['base', 'config', 'handler'],
    node: ['*'],
    packages: [],
    why: 'speaks with the kernel, and hands the connection to a handler that stands by',
  },
  config: { ours: ['base'], node: ['fs', 'path', 'os'], packages: [], why: 'built once in each main.ts' },
  catalog: {
    ours: ['base'],
    node: ['fs', 'path', 'url', 'crypto'],
    packages: ['better-sqlite3'],
    why: 'SQL knows rows, not cores',
  },
  daemon: {
    ours: [
      'base',
      'lz4',
      'engine/index',
      'engine/report',
      'engine/bytes',
      'archive',
      'source',
      'config',
      'catalog',
    ],
    node: ['*'],
    packages: ['chokidar', 'node-cron'],
    why: 'the one place where archive, engine and catalog meet for writing',
  },
  install: {
    ours: ['base', 'config', 'archive', 'catalog', 'handler/argv', 'handler/spool-bound'],
    node: ['*'],
    packages: ['node-cron'],
    why: 'changes the machine, and reads no dump',
  },
  cli: {
    ours: [
      ...everything.filter(folder => !['daemon', 'engine', 'install'].includes(folder)),
      'daemon/index',
      'daemon/main',
      'engine/index',
      'engine/report',
      'engine/bytes',
      'install/index',
    ],
    node: ['*'],
    packages: ['*'],
    why: 'composes the others for people',
  },
}

/** The engine's own layers, as src/README.md lists them: each may import those before it. */
const engineLayers = [
  ...[
    'bytes',
    'elf',
    'arch',
    'core',
    'type',
    'gosym',
    'dwarf',
    'value',
    'runtime',
    'expr',
    'scope',
    'disasm',
  ],
  'report',
]

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g

/** The modules that a file's text imports, types included. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(importPattern)].map(match => match[1] ?? match[2] ?? match[3]!)
}

const covers = (allowed: readonly string[], target: string): boolean =>
  allowed.some(entry => target === entry || target.startsWith(`${entry}/`) || target === `${entry}.ts`)

/** What the law says against one import of one file (path below src/), or undefined. */
export function refusal(file: string, specifier: string): string | undefined {
  const folder = file.split('/')[0]!
  const rule = law[folder]
  if (rule === undefined) return `src/${folder} has no rule in scripts/check-layers.ts`
  const no = (what: string): string => `src/${file} imports ${what}, which ${folder} may not: ${rule.why}`
  if (specifier.startsWith('node:')) {
    const name = specifier.slice(5).split('/')[0]!
    return rule.node.includes('*') || rule.node.includes(name) ? undefined : no(specifier)
  }
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file), specifier))
    if (target.startsWith('..'))
      return target.endsWith('package.json') ? undefined : no(`${target}, outside src`)
    if (target.split('/')[0] === folder) return folder === 'engine' ? refusalOfLayer(file, target) : undefined
    return covers(rule.ours, target) ? undefined : no(`src/${target}`)
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return rule.packages.includes('*') || rule.packages.includes(name) ? undefined : no(`package ${name}`)
}

/** Files beside the layers' folders put them together, and may import all. */
function refusalOfLayer(file: string, target: string): string | undefined {
  const [own, other] = [file, target].map(path => path.split('/')[1]!)
  if (own === other || own!.endsWith('.ts')) return undefined
  const [at, of] = [engineLayers.indexOf(own!), engineLayers.indexOf(other!)]
  if (at < 0) return `src/engine/${own} is no layer in scripts/check-layers.ts`
  return of >= 0 && of < at
    ? undefined
    : `src/${file} imports src/${target}, which is not below it: a layer of the engine knows only those before it`
}

/** The law as src/README.md shows it. */
export function lawTable(): string {
  const list = (names: readonly string[], none: string): string =>
    names.length === 0 ? none : names.map(name => (name === '*' ? 'any' : name)).join(', ')
  const rows = Object.entries(law).map(
    ([folder, rule]) =>
      `| ${folder} | ${list(rule.ours, '–')} | ${list(rule.node, '–')} | ${list(rule.packages, '–')} | ${rule.why} |`,
  )
  return ['| folder | of ours | of Node | packages | why |', '|---|---|---|---|---|', ...rows].join('\n')
}

function main(): void {
  if (process.argv.includes('--print')) {
    console.log(lawTable())
    return
  }
  const problems: string[] = []
  const map = readFileSync('src/README.md', 'utf8')
  const edges = new Map<string, Set<string>>()
  for (const file of globSync('**/*.ts', { cwd: 'src' }).sort()) {
    for (const specifier of importsOf(readFileSync(join('src', file), 'utf8'))) {
      const problem = refusal(file, specifier)
      if (problem !== undefined) problems.push(problem)
      if (!specifier.startsWith('.')) continue
      const target = normalize(join(dirname(file), specifier)).split('/')[0]!
      const folder = file.split('/')[0]!
      if (target !== folder && target !== '..')
        edges.set(folder, (edges.get(folder) ?? new Set()).add(target))
    }
  }
  const listed = [...map.matchAll(/^\| `engine\/([\w-]+)\/`/gm)].map(match => match[1])
  if (listed.join() !== engineLayers.join())
    problems.push(
      `src/README.md lists the engine's layers otherwise than scripts/check-layers.ts: ${listed.join(', ')}`,
    )
  if (!map.includes(lawTable()))
    problems.push(
      'the table in src/README.md is not the law: put the output of `node scripts/check-layers.ts --print` there',
    )
  const cycle = findCycle(edges)
  if (cycle !== undefined) problems.push(`the folders import in a circle: ${cycle.join(' → ')}`)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
}

function findCycle(edges: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>()
  const visit = (folder: string, trail: string[]): string[] | undefined => {
    if (trail.includes(folder)) return [...trail.slice(trail.indexOf(folder)), folder]
    if (done.has(folder)) return undefined
    for (const next of edges.get(folder) ?? []) {
      const found = visit(next, [...trail, folder])
      if (found !== undefined) return found
    }
    done.add(folder)
    return undefined
  }
  for (const folder of edges.keys()) {
    const found = visit(folder, [])
    if (found !== undefined) return found
  }
  return undefined
}

if (import.meta.main) main()
