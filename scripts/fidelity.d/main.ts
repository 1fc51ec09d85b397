/**
 * Fidelity: how much of what a dying Go program prints of itself the engine finds in its core. For each Go version and
 * kind of build: build test/programs, crash each through the kernel, compare, print a row of the table.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeCorePattern } from '../../test/support/core-pattern.ts'
import { type Crash, crashAll } from './crash.ts'
import { measure } from './measure.ts'
import { help, longPrograms, type Options, parseOptions } from './options.ts'
import { Table } from './table.ts'
import { build, built, haveGo } from './toolchains.ts'

const options = parseOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(help)
else if (!haveGo()) process.stdout.write('fidelity: skipped, there is no Go on this machine\n')
else if (process.getuid!() !== 0) process.stdout.write('fidelity: skipped, core_pattern needs root\n')
else process.exitCode = await main(options)

async function main(options: Options): Promise<number> {
  const work = options.keep ?? join(tmpdir(), `gocore-fidelity-${process.pid}`)
  const table = new Table()
  for (const go of options.go) {
    for (const kind of options.kind) {
      const dir = join(work, go, kind)
      const crashes = options.reuse ? kept(dir, options) : await crashCell(go, kind, dir, options)
      if (crashes === undefined || options.crashOnly) continue
      const cell = table.cell(go, kind)
      for (const crash of crashes) {
        const clean = await measure(crash, cell, `go${go} ${kind}`)
        if (clean && options.keep === undefined) rmSync(crash.core)
      }
      table.print(go, kind)
    }
  }
  if (options.crashOnly) return 0
  table.printAll()
  return table.finish(join(work, 'misses.txt'), options.keep === undefined ? work : undefined)
}

/** Builds and crashes the programs of one cell; undefined where its toolchain is not to be had. */
async function crashCell(
  go: string,
  kind: string,
  dir: string,
  options: Options,
): Promise<Crash[] | undefined> {
  const bin = await build(go, kind, options.programs)
  if (bin === undefined) {
    process.stdout.write(`go${go} ${kind}: skipped, could not be built\n`)
    return undefined
  }
  const names = built(bin, options.programs)
  const programs = options.programs ? names : names.filter(name => options.long || !longPrograms.includes(name))
  const crashes: Crash[] = []
  const failed: string[] = []
  // In batches, so that others who wait for the machine's core pattern get their turn.
  for (let at = 0; at < programs.length; at += 16) {
    using pattern = await takeCorePattern()
    const batch = await crashAll(pattern, bin, programs.slice(at, at + 16), dir, options.jobs)
    crashes.push(...batch.crashes)
    failed.push(...batch.failed)
  }
  if (options.keep !== undefined) for (const crash of crashes) crash.executable = keepExecutable(crash, dir)
  for (const program of failed) process.stdout.write(`go${go} ${kind} ${program}: left no core\n`)
  writeFileSync(join(dir, 'failed.txt'), failed.join('\n'))
  return crashes
}

function keepExecutable(crash: Crash, dir: string): string {
  mkdirSync(join(dir, 'bin'), { recursive: true })
  const path = join(dir, 'bin', crash.program)
  copyFileSync(crash.executable, path)
  return path
}

/** The crashes that an earlier run kept. */
function kept(dir: string, options: Options): Crash[] | undefined {
  if (!existsSync(dir)) return undefined
  return readdirSync(dir)
    .filter(name => name.endsWith('.core'))
    .map(name => name.slice(0, -'.core'.length))
    .filter(program => options.programs?.includes(program) ?? true)
    .sort()
    .map(program => ({
      program,
      executable: join(dir, 'bin', program),
      core: join(dir, `${program}.core`),
      text: join(dir, `${program}.txt`),
    }))
}
