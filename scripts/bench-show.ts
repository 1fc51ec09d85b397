/**
 * What it takes to look at a core: `show`, `goroutines` and `goroutines -t` on fresh cores of 6, 1,000 and 100,000
 * goroutines, against `dlv core` with `bt`, `goroutines` and `goroutines -t`, in turn in one run; and `show` on a stored
 * core of 8 GB against one of 100 MB. Run through scripts/bench (root: it crashes programs).
 *
 *     --runs N     runs of each (5; 3 of those with 100,000 goroutines, 1 where one takes a minute)
 *     --only WORD  one of goroutines, size
 *     --dir DIR    where cores go (a directory below the system's temporary one)
 *     --size MB    the large stored core (8192)
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { commandLineOptions } from '../src/install/launcher.ts'
import { takeCorePattern } from '../test/support/core-pattern.ts'
import { parseTraceback } from '../test/support/traceback.ts'
import { storeCores } from './bench-show.d/large-core.ts'
import { type Cost, peakOf, ratio, run, seconds } from './bench-show.d/run.ts'
import { type Crash, crashAll } from './fidelity.d/crash.ts'
import { build, haveGo } from './fidelity.d/toolchains.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    dir: { type: 'string' },
    size: { type: 'string', default: '8192' },
  },
})
const cli = join(import.meta.dirname, '../dist/cli.cjs')
const dir = mkdtempSync(join(options.dir ?? tmpdir(), 'gocore-bench-show-'))

if (!haveGo()) console.log('skipped: there is no Go on this machine')
else if (process.getuid!() !== 0) console.log('skipped: core_pattern needs root')
else {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const today = new Date().toISOString().slice(0, 10)
  console.log(
    `${today}, ${cpus().length} × ${cpus()[0]!.model}, ${memory}, Linux ${release()}, Node ${process.version}`,
  )
  if (options.only !== 'size') await benchGoroutines()
  if (options.only !== 'goroutines') await benchSize()
}
rmSync(dir, { recursive: true })

async function benchGoroutines(): Promise<void> {
  const programs = ['panic-string', 'run-many', 'run-100000']
  const bin = await build('1.26', 'full', programs)
  if (bin === undefined) return
  const { crashes } = await (async () => {
    using pattern = await takeCorePattern()
    return await crashAll(pattern, bin, programs, dir, 1)
  })()
  const delve = spawnSync('dlv', ['version'], { encoding: 'utf8' }).stdout?.match(/Version: (\S+)/)?.[1]
  if (delve === undefined) console.log('without dlv, which is not on this machine')
  for (const program of programs) {
    const crash = crashes.find(c => c.program === program)!
    const count = parseTraceback(readFileSync(crash.text, 'utf8')).goroutines.size
    console.log(`\n${count} goroutines`)
    await compareOn(crash, count, delve)
    rmSync(crash.core)
  }
}

async function compareOn(crash: Crash, count: number, delve: string | undefined): Promise<void> {
  const runs = count > 50_000 ? Math.min(3, Number(options.runs)) : Number(options.runs)
  const ours: [string, string[]][] = [
    ['show', ['show']],
    ['goroutines', ['goroutines']],
    ['goroutines -t', ['goroutines', '-t', '--system']],
  ]
  const theirs: [string, string[], number][] = [
    ['bt, goroutines', ['bt', 'goroutines'], runs],
    ['bt, goroutines -t', ['bt', 'goroutines -t'], count > 50_000 ? 1 : runs],
  ]
  const costs = new Map<string, Cost[]>()
  for (let round = 0; round < runs; round++) {
    for (const [name, args] of ours) {
      const all = [commandLineOptions, cli, ...args, crash.core, '--exe', crash.executable, '--no-pager']
      add(costs, name, await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...all]))
    }
    for (const [name, commands, most] of delve === undefined ? [] : theirs)
      if (round < most) add(costs, name, await run('dlv', delveArgs(crash, commands)))
  }
  for (const [name] of ours) print(`gocore-sink ${name}`, costs.get(name)!)
  for (const [name] of delve === undefined ? [] : theirs) print(`dlv ${delve} ${name}`, costs.get(name)!)
  if (delve === undefined) return
  compare('show', 'bt, goroutines', costs)
  compare('show', 'bt, goroutines -t', costs)
  compare('goroutines -t', 'bt, goroutines -t', costs)
}

function delveArgs(crash: Crash, commands: readonly string[]): string[] {
  const script = join(dir, 'dlv.init')
  writeFileSync(script, [...commands, 'exit', ''].join('\n'))
  const flags = ['--allow-non-terminal-interactive=true', '--init', script]
  return ['core', crash.executable, crash.core, ...flags]
}

async function benchSize(): Promise<void> {
  const stored = await (async () => {
    using pattern = await takeCorePattern()
    return await storeCores(pattern, dir, [60, Number(options.size)])
  })()
  console.log('\nshow on stored cores')
  const costs = new Map<string, Cost[]>()
  for (let round = 0; round < Number(options.runs); round++) {
    for (const { mb, core, executable } of stored) {
      const args = [
        '--disable-warning=ExperimentalWarning',
        commandLineOptions,
        cli,
        'show',
        core,
        '--exe',
        executable,
        '--no-pager',
      ]
      add(costs, String(mb), await run(process.execPath, args))
    }
  }
  for (const { mb, core } of stored) print(`${mb} MB of heap, ${sizes(core)}`, costs.get(String(mb))!)
  const [small, large] = stored.map(({ mb }) => costs.get(String(mb))!)
  console.log(`  the large one takes ${ratio(small!, large!)} as long`)
}

function sizes(core: string): string {
  const manifest = JSON.parse(readFileSync(core.replace('core.lz4', 'manifest.json'), 'utf8'))
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  return `core of ${mb(manifest.core.raw_size)}, stored ${mb(manifest.core.stored_size)}`
}

function add(costs: Map<string, Cost[]>, name: string, cost: Cost): void {
  costs.set(name, [...(costs.get(name) ?? []), cost])
}

function print(name: string, costs: readonly Cost[]): void {
  console.log(`  ${name.padEnd(44)} ${seconds(costs).padEnd(24)} ${Math.round(peakOf(costs))} MB`)
}

function compare(ours: string, theirs: string, costs: Map<string, Cost[]>): void {
  const [a, b] = [costs.get(ours)!, costs.get(theirs)!]
  const memory = (peakOf(b) / peakOf(a)).toFixed(1)
  console.log(`  dlv's ${theirs} takes ${ratio(a, b)} the time of ${ours}, and ${memory}× the memory`)
}
