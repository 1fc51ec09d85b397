/** test/programs-c/values.c in builds of every kind, crashed for real. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeCorePattern } from './core-pattern.ts'

export interface CValuesBuild {
  readonly name: string
  readonly compiler: 'gcc' | 'clang'
  readonly flags: readonly string[]
  /** Compiled to an object first, which split debug information is named for; then linked. */
  readonly split?: boolean
  /** The tool that makes a package of the split files, which then go. */
  readonly package?: 'dwp' | 'llvm-dwp'
}

export interface CValuesCrash extends Disposable {
  /** Where it was built, and runs; what split it has lies there. */
  readonly dir: string
  readonly executable: string
  readonly core: string
}

const sources = join(import.meta.dirname, '../programs-c')
const have = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0

/** Why they can't be crashed and compared here; undefined where they can. */
export function whyNoCValues(
  { compiler, package: tool }: Pick<CValuesBuild, 'compiler' | 'package'> = { compiler: 'gcc' },
): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root for the core pattern'
  const missing = [compiler, 'gdb', ...(tool ? [tool] : [])].filter(command => !have(command))
  return missing.length > 0 ? `needs ${missing.join(' and ')}` : undefined
}

const isPossible = ({ compiler, package: tool }: CValuesBuild): boolean =>
  have(compiler) && (tool === undefined || have(tool))

/** By name of the build; those whose compiler is not here are left out. All die under one holding of the core pattern. */
export async function crashCValues(
  builds: readonly CValuesBuild[],
): Promise<ReadonlyMap<string, CValuesCrash>> {
  const built = builds.filter(isPossible).map(build => ({ build, dir: compile(build) }))
  const crashes = new Map<string, CValuesCrash>()
  using pattern = await takeCorePattern()
  for (const { build, dir } of built) {
    const [executable, core] = [join(dir, 'values'), join(dir, 'values.core')]
    pattern.set(join(dir, 'core'))
    const command = ['-c', 'ulimit -c unlimited; exec "$0"', executable]
    spawnSync('/bin/sh', command, { env: {}, cwd: dir, stdio: 'ignore', timeout: 20_000 })
    renameSync(join(dir, 'core'), core)
    crashes.set(build.name, {
      dir,
      executable,
      core,
      [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
    })
  }
  return crashes
}

function compile({ name, compiler, flags, split = false, package: tool }: CValuesBuild): string {
  const dir = mkdtempSync(join(tmpdir(), `gocore-sink-${name}-`))
  const call = (command: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync(command, args, { cwd: dir, encoding: 'utf8', timeout: 60_000 })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  }
  const run = (...args: string[]): void => call(compiler, ...args)
  const [program, library] = ['values', 'values-library'].map(file => join(sources, `${file}.c`)) as [
    string,
    string,
  ]
  const common = ['-w', '-pthread', ...flags]
  const isStatic = flags.includes('-static')
  if (!isStatic) run(...common, '-shared', '-fPIC', '-o', 'libvalues.so', library)
  const linked = isStatic ? [library] : ['-L.', '-lvalues', '-Wl,-rpath,$ORIGIN']
  if (split) run(...common, '-c', '-o', 'values.o', program)
  run(...common, '-o', 'values', split ? 'values.o' : program, ...linked)
  if (tool) {
    for (const file of ['values', 'libvalues.so']) call(tool, '-e', file, '-o', `${file}.dwp`)
    for (const file of readdirSync(dir)) if (file.endsWith('.dwo')) rmSync(join(dir, file))
  }
  return dir
}
