/**
 * Bundles src/ into dist/: one JavaScript file per program, with the native addons copied beside them, so that dist/
 * alone (and a Node) is the product. Prints nothing unless something is wrong.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { arch } from 'node:process'
import { type BuildOptions, build } from 'esbuild'

const programs: Record<string, string> = {
  handler: 'src/handler/main.ts',
  cli: 'src/cli/main.ts',
  daemon: 'src/daemon/main.ts',
  analyse: 'src/daemon/analyse-child.ts',
  'unpack-worker': 'src/source/unpack-worker.ts',
}

const options: BuildOptions = {
  entryPoints: programs,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  metafile: true,
  // The main entry looks for its addon at run time, which a bundle can't follow; this one names it.
  alias: { 'better-sqlite3': `better-sqlite3/linux-${arch}` },
  // Bundled CommonJS packages ask for require, which ES modules don't have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  resolveExtensions: ['.ts', '.js', '.json', '.node'],
  loader: { '.sql': 'text', '.node': 'copy' },
  assetNames: '[name]-[hash]',
  logLevel: 'warning',
}

rmSync('dist', { recursive: true, force: true })
const { metafile } = await build(options)

// Whatever is not Node's own must be inside dist/, or the installed product would miss it.
const outside = new Set<string>()
for (const [file, output] of Object.entries(metafile!.outputs))
  for (const { path, external } of output.imports)
    if (external && !path.startsWith('node:') && !isBuiltin(path) && !existsSync(`dist/${path}`))
      outside.add(`${file}: ${path}`)
if (outside.size > 0)
  throw new Error(`dist/ would need packages from outside:\n  ${[...outside].join('\n  ')}`)
writeFileSync('dist/package.json', '{"type":"module"}\n')

function isBuiltin(name: string): boolean {
  return process.getBuiltinModule(name) !== undefined
}
