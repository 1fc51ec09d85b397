/** The Go versions and kinds of build that fidelity is measured over, and how a cell of the matrix is built. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Minor version → the release that stands for it; `go` fetches it as a module. */
export const releases: Readonly<Record<string, string>> = {
  '1.19': '1.19.13',
  '1.20': '1.20.14',
  '1.21': '1.21.13',
  '1.22': '1.22.12',
  '1.23': '1.23.12',
  '1.24': '1.24.9',
  '1.25': '1.25.3',
  '1.26': '1.26.8',
  '1.27': '1.27.1',
}

export const kinds: Readonly<Record<string, readonly string[]>> = {
  full: [],
  stripped: ['-ldflags=-s -w'],
  pie: ['-buildmode=pie'],
  'pie-stripped': ['-buildmode=pie', '-ldflags=-s -w'],
  trimpath: ['-trimpath'],
  unoptimised: ['-gcflags=all=-N -l'],
}

/** The builds over which values are compared; what is no flag is of the environment. */
export const valueKinds: Readonly<Record<string, readonly string[]>> = {
  'optimised-dwarf4': ['GOEXPERIMENT=nodwarf5'],
  'unoptimised-dwarf4': ['GOEXPERIMENT=nodwarf5', '-gcflags=all=-N -l'],
  'optimised-dwarf5': [],
  'unoptimised-dwarf5': ['-gcflags=all=-N -l'],
}

const root = join(import.meta.dirname, '../..')
const programs = join(root, 'test/programs')
const cache = join(root, '.cache/fidelity')

/** Whether some `go` is there at all. */
export function haveGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore', env: { ...process.env, GOTOOLCHAIN: 'local' } })
    return true
  } catch {
    return false
  }
}

/**
 * Builds the programs that this version can build, or only those named, and gives the directory that holds them;
 * undefined, with a line on standard error, where the toolchain cannot be had or a program does not build.
 * The module's `go` line is set to the version, so that each is built with its own language and GODEBUG defaults.
 */
export async function build(
  go: string,
  kind: string,
  only: readonly string[] | undefined,
): Promise<string | undefined> {
  const out = join(cache, 'bin', go, kind)
  mkdirSync(out, { recursive: true })
  const modfile = join(cache, `go${go}.mod`)
  writeFileSync(modfile, `module gocore.test/programs\n\ngo ${go}\n`)
  const targets = only === undefined ? ['./...'] : only.filter(isProgram).map(name => `./${name}`)
  if (targets.length === 0) return out
  const settings = kinds[kind] ?? valueKinds[kind]!
  // Before Go 1.25 there is no DWARF 5 to do without.
  const experiment =
    Number(go.split('.')[1]) >= 25 ? settings.find(setting => !setting.startsWith('-')) : undefined
  const args = [
    'build',
    '-buildvcs=false',
    `-modfile=${modfile}`,
    ...settings.filter(setting => setting.startsWith('-')),
    '-o',
    `${out}/`,
    ...targets,
  ]
  const env = {
    ...process.env,
    GOFLAGS: '',
    GOWORK: 'off',
    GOTOOLCHAIN: `go${releases[go]}`,
    CGO_ENABLED: cgo(),
    GOEXPERIMENT: experiment?.split('=')[1] ?? '',
  }
  const failure = await run('go', args, env)
  // Programs named one by one may ask for a later Go than this; the others are built all the same.
  if (failure === undefined) return out
  if (only !== undefined && targets.length > 1) {
    for (const name of only) await build(go, kind, [name])
    return out
  }
  if (/build constraints exclude all Go files/.test(failure)) return out
  process.stderr.write(`go${releases[go]} ${kind}: ${failure.trim().split('\n').slice(0, 6).join('\n  ')}\n`)
  return undefined
}

/** The programs built in a directory, by name. */
export function built(dir: string, only: readonly string[] | undefined): string[] {
  const names = existsSync(dir) ? readdirSync(dir).sort() : []
  return only === undefined ? names : only.filter(name => names.includes(name))
}

function isProgram(name: string): boolean {
  return existsSync(join(programs, name, 'main.go'))
}

function cgo(): string {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return '1'
  } catch {
    return '0'
  }
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn('nice', [command, ...args], {
      cwd: programs,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    child.once('error', error => resolve(error.message))
    child.once('close', code => resolve(code === 0 ? undefined : text || `go build ended with ${code}`))
  })
}
