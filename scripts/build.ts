/**
 * Bundles src/ into dist/, with the native addons copied beside the programs, so that dist/ alone (and a Node) is the
 * product. Prints nothing unless something is wrong.
 */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arch } from 'node:process'
import { zstdDecompressSync } from 'node:zlib'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'

/** Built aside: a build that fails leaves the last one in place. */
const out = 'dist.tmp'

/** CommonJS: an ES module that imports node:fs loads Node's streams with it, 5 ms that a crashed process is held. */
const handler: Record<string, string> = { 'handler-bundle': 'src/handler/main.ts' }

/** CommonJS for the same reason; and as a script both can be loaded with the code that V8 made of them before. */
const commandLine: Record<string, string> = { 'cli-bundle': 'src/cli/main.ts' }

/** One file each: opening forty chunks takes longer than compiling the verbs that are not asked for, which V8 puts off. */
const modules: Record<string, string> = {
  daemon: 'src/daemon/main.ts',
  'daemon-work': 'src/daemon/work.ts',
  deliver: 'src/daemon/monitor/deliver-child.ts',
  analyse: 'src/daemon/analyse-child.ts',
  encrypt: 'src/daemon/encrypt-child.ts',
  shrink: 'src/daemon/shrink-child.ts',
  receiver: 'src/receiver/main.ts',
  'unpack-worker': 'src/source/unpack-worker.ts',
}

/** Modules that make a require of their own to load addons: without that line esbuild sees which, and takes them along. */
const bundledRequire: Plugin = {
  name: 'bundled-require',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/lz4\/native\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const contents = text.replace('const require = createRequire(import.meta.url)\n', '')
      if (contents === text) throw new Error(`${path} does not make its require as this build expects`)
      return { contents, loader: 'ts' }
    })
  },
}

/**
 * The disassembler stays a file of its own, which only the verbs that disassemble load; it reads its WebAssembly from
 * beside itself.
 */
const disassembler: Plugin = {
  name: 'disassembler',
  setup({ onResolve }) {
    onResolve({ filter: /^iced-x86$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './iced_x86.cjs', external: true },
    )
  },
}

/** Modules of Node that take milliseconds to load, and that most verbs never ask anything. */
const heavy = ['assert', 'child_process', 'crypto', 'http', 'https', 'readline', 'worker_threads', 'zlib']

/** Loads each of them at the first look at one of its members. */
const lateBuiltins: Plugin = {
  name: 'late-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(node:)?(${heavy.join('|')})$`) }, ({ path }) => ({
      path: path.replace('node:', ''),
      namespace: 'late',
    }))
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: lateModule(path), loader: 'js' }))
  },
}

/** A function where the module is one itself (assert); the members are getters of the prototype, which importers inherit. */
function lateModule(name: string): string {
  const builtin = process.getBuiltinModule(name) as object
  const load = `process.getBuiltinModule('${name}')`
  // yargs takes assert's functions down at its start and calls them when something is wrong.
  if (typeof builtin === 'function')
    return `module.exports = (...args) => ${load}(...args)\n${members('module.exports')}`
  return `const late = {}\n${members('late')}module.exports = Object.create(late)\n`

  function members(target: string): string {
    const names = Object.keys(builtin).filter(key => key !== 'default')
    const late = typeof builtin === 'function' ? `(...args) => ${load}[name](...args)` : `${load}[name]`
    return `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(${target}, name, { get: () => ${late} })\n`
  }
}

const options: BuildOptions = {
  outdir: out,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  alias: {
    // The main entry looks for its addon at run time, which a bundle can't follow; this one names it.
    'better-sqlite3': `better-sqlite3/linux-${arch}`,
    // yargs measures its help with it, and loading it takes longer than all of `ls`.
    'string-width': './src/cli/render/width.ts',
  },
  // Bundled CommonJS packages ask for require, which ES modules don't have.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  resolveExtensions: ['.ts', '.js', '.json', '.node'],
  loader: { '.sql': 'text', '.node': 'copy' },
  assetNames: '[name]-[hash]',
  plugins: [bundledRequire, disassembler],
  logLevel: 'warning',
}

const commonJs: BuildOptions = { format: 'cjs', outExtension: { '.js': '.cjs' } }

rmSync(out, { recursive: true, force: true })
const results = [
  await build({ ...options, ...commonJs, entryPoints: handler, banner: {} }),
  await build({
    ...options,
    ...commonJs,
    entryPoints: commandLine,
    define: { 'import.meta.url': '__moduleUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    plugins: [bundledRequire, disassembler, lateBuiltins],
    // A script that is made from text has no import(); Node's require does the same.
    supported: { 'dynamic-import': false },
  }),
  await build({ ...options, ...commonJs, entryPoints: { iced_x86: 'iced-x86' }, banner: {} }),
  await build({ ...options, entryPoints: modules }),
]
copyFileSync('node_modules/iced-x86/iced_x86_bg.wasm', `${out}/iced_x86_bg.wasm`)
writeFileSync(`${out}/package.json`, '{"type":"module"}\n')
for (const name of ['cli.cjs', 'handler.cjs']) copyFileSync(`scripts/build.d/${name}`, `${out}/${name}`)
copyLicences()
const outside = [...results.flatMap(({ metafile }) => outsideImports(metafile!)), ...missingSiblings()]
if (outside.length > 0) throw new Error(`dist/ would need what is not in it:\n  ${outside.join('\n  ')}`)
makeCodeCache()
makeHandlerCache()
rmSync('dist', { recursive: true, force: true })
renameSync(out, 'dist')

/** Runs the most used verb on the core that the repository carries, and keeps what V8 compiled on the way. */
function makeCodeCache(): void {
  const [core, program] = ['core.zst', 'till.zst'].map(name => `test/fixtures/till/${name}`)
  const args = ['show', core!, '--exe', program!, '--no-pager']
  execFileSync(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    'scripts/build.d/code-cache.cjs',
    out,
    ...args,
  ])
}

/** Records a small crash in a place of its own; nobody is told of it. */
function makeHandlerCache(): void {
  const folder = mkdtempSync(join(tmpdir(), 'gocore-build-'))
  try {
    const places = ['Archive', 'State', 'Runtime'].map(name => `${name}Directory=${folder}/${name}\n`)
    writeFileSync(`${folder}/conf`, places.join(''))
    const crash = ['1000000000', '0', '0', '11', '1700000000', '18446744073709551615', 'build']
    execFileSync(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        'scripts/build.d/handler-cache.cjs',
        ...[out, '--told', '--config', `${folder}/conf`, '--', ...crash],
      ],
      { input: zstdDecompressSync(readFileSync('test/fixtures/till/core.zst')) },
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
  if (!existsSync(`${out}/handler.cache`))
    throw new Error('the handler did not record the crash that was to warm it')
}

/** What is in the bundles goes out under its authors' terms. */
function copyLicences(): void {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile!.inputs))
  const folders = inputs.map(path => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
  mkdirSync(`${out}/licences`)
  for (const folder of new Set(folders.filter(folder => folder !== undefined)))
    for (const name of readdirSync(folder).filter(name => /^(licen[cs]e|copying|notice)/i.test(name)))
      copyFileSync(
        join(folder, name),
        `${out}/licences/${folder.slice('node_modules/'.length).replace('/', '-')}.${name}`,
      )
}

/** Imports that are neither Node's own nor in dist/. */
function outsideImports({ outputs }: Metafile): string[] {
  return Object.entries(outputs).flatMap(([file, { imports }]) =>
    imports
      .filter(({ external, path }) => external && process.getBuiltinModule(path) === undefined)
      .filter(({ path }) => !existsSync(`${out}/${path}`))
      .map(({ path }) => `${file}: ${path}`),
  )
}

/** Programs that are started by their place beside the one that starts them: `new URL('./x.js', import.meta.url)`. */
function missingSiblings(): string[] {
  return readdirSync(out)
    .filter(name => name.endsWith('.js'))
    .flatMap(name =>
      [...readFileSync(`${out}/${name}`, 'utf8').matchAll(/["'`]\.\/([\w-]+\.js)["'`]/g)]
        .filter(match => !existsSync(`${out}/${match[1]}`))
        .map(match => `${out}/${name}: ${match[1]}`),
    )
}
