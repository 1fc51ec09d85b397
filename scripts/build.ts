/** Bundles src/ into dist/: one JavaScript file per program. Native addons stay in node_modules. */
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const programs = {
  handler: 'src/handler/main.ts',
  cli: 'src/cli/main.ts',
  daemon: 'src/daemon/main.ts',
  analyse: 'src/daemon/analyse-child.ts',
}

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints: programs,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  external: ['lz4', 'better-sqlite3'],
  // Bundled CommonJS packages ask for require, which ES modules don't have.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  loader: { '.sql': 'text' },
  logLevel: 'warning',
})
