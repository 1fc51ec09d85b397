/**
 * How long the first `print` takes on a program with more than 100 MB of debug information: cold, without an index, and
 * warm, with the one that the first time left; against `dlv core`, in turn in one run. Run through scripts/bench (root:
 * it crashes a program; the first time it builds one, which takes minutes and the module proxy).
 *
 *     --runs N   runs of each (5)
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openElf } from '../src/engine/elf/file.ts'
import { takeCorePattern } from '../test/support/core-pattern.ts'
import { buildLarge } from './bench-engine.d/large-program.ts'
import { type Cost, median, peakOf, ratio, run, seconds } from './bench-show.d/run.ts'
import { type Crash, crashAll } from './fidelity.d/crash.ts'
import { fileSource } from './fidelity.d/file-source.ts'
import { haveGo } from './fidelity.d/toolchains.ts'

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const cli = join(import.meta.dirname, '../dist/cli.cjs')
const go = '1.26.8'
const expression = 'main.requests'
const dir = mkdtempSync(join(tmpdir(), 'gocore-bench-engine-'))
/** Where ours keeps its index: a place of its own, so that cold is cold. */
const caches = join(dir, 'cache')

if (!haveGo()) console.log('skipped: there is no Go on this machine')
else if (process.getuid!() !== 0) console.log('skipped: core_pattern needs root')
else {
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]!.model}, Node ${process.version}`,
  )
  const bin = buildLarge(go)
  if (bin !== undefined) await firstPrint(await crashed(bin))
}
rmSync(dir, { recursive: true })

async function crashed(bin: string): Promise<Crash> {
  using pattern = await takeCorePattern()
  const { crashes } = await crashAll(pattern, bin, ['large'], dir, 1)
  return crashes[0]!
}

async function firstPrint(crash: Crash): Promise<void> {
  console.log(`\nfirst print: ${debugSize(crash.executable)} MB of debug information in large, Go ${go}`)
  const delve = spawnSync('dlv', ['version'], { encoding: 'utf8' }).stdout?.match(/Version: (\S+)/)?.[1]
  const [cold, warm, theirs]: [Cost[], Cost[], Cost[]] = [[], [], []]
  process.env.XDG_CACHE_HOME = caches
  for (let round = 0; round < Number(options.runs); round++) {
    rmSync(caches, { recursive: true, force: true })
    cold.push(await ours(crash))
    warm.push(await ours(crash))
    if (delve !== undefined) theirs.push(await run('dlv', delveArgs(crash), join(dir, 'dlv.txt')))
  }
  row('gocore-sink print, no index', cold)
  row('gocore-sink print, index kept', warm)
  if (delve === undefined) return console.log('  without dlv, which is not on this machine')
  row(`dlv ${delve} core, print`, theirs)
  for (const [name, costs, most] of [
    ['without an index', cold, 0.5],
    ['with one', warm, 0.1],
  ] as const) {
    const share = median(costs.map(({ ms }) => ms)) / median(theirs.map(({ ms }) => ms))
    console.log(
      `  ${name}: dlv takes ${ratio(costs, theirs)} the time, and ${(peakOf(theirs) / peakOf(costs)).toFixed(1)}× the memory (ours ${share.toFixed(2)} of dlv's; wanted at most ${most})`,
    )
  }
  const answer = (file: string): string => readFileSync(join(dir, file), 'utf8').replace(/\s+/g, ' ').trim()
  console.log(`  ours: ${answer('ours.txt').slice(0, 100)}\n  dlv:  ${answer('dlv.txt').slice(-100)}`)
}

async function ours({ core, executable }: Crash): Promise<Cost> {
  const args = [cli, 'print', core, expression, '--exe', executable]
  return await run(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...args],
    join(dir, 'ours.txt'),
  )
}

function delveArgs({ core, executable }: Crash): string[] {
  const script = join(dir, 'dlv.init')
  writeFileSync(script, `print ${expression}\nexit\n`)
  return ['core', executable, core, '--allow-non-terminal-interactive=true', '--init', script]
}

/** Uncompressed. */
function debugSize(path: string): number {
  using source = fileSource(path)
  const sections = openElf(source).sections.filter(({ name }) => name.startsWith('.debug_'))
  return Math.round(sections.reduce((sum, section) => sum + section.bytes().length, 0) / 1e6)
}

function row(name: string, costs: readonly Cost[]): void {
  console.log(`  ${name.padEnd(44)} ${seconds(costs).padEnd(24)} ${Math.round(peakOf(costs))} MB`)
}
