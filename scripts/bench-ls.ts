/**
 * `ls --since 1h` with a million rows: what the query takes inside, what the whole process takes, and what the other
 * questions take. Run by `scripts/bench --ls`; arguments: the number of rows, a directory to keep the catalog in.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Catalog, type CrashRow, openCatalog } from '../src/catalog/index.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    keep: { type: 'string' },
    runs: { type: 'string', default: '15' },
  },
})
const rows = Number(values.rows)
const runs = Number(values.runs)
const directory = values.keep ?? mkdtempSync(join(tmpdir(), 'gocore-bench-ls-'))
const file = join(directory, 'catalog.db')
const now = Date.now()
const year = 365 * 24 * 3600 * 1000
const hour = 3600 * 1000

if (!existsSync(file)) fill()
const questions: [name: string, ask: (catalog: Catalog) => unknown[]][] = [
  ['ls --since 1h', c => c.list({ since: now - hour })],
  ['ls --limit 50', c => c.list({ limit: 50 })],
  ['ls --since 1d --exe api', c => c.list({ since: now - 24 * hour, exe: 'api' })],
  ['ls --pid 4242', c => c.list({ pid: 4242 })],
  ['ls --host node-7 --limit 50', c => c.list({ host: 'node-7', limit: 50 })],
  ['an id by its prefix', c => c.byPrefix(c.latest()!.id.slice(0, 6), 2)],
  ['search needle', c => c.search('needle', { limit: 50 })],
  ['search main.worker --limit 50', c => c.search('main.worker', { limit: 50 })],
  ['top --since 7d', c => c.top({ since: now - 7 * 24 * hour, limit: 20 })],
  ['top', c => c.top({ limit: 20 })],
]
console.log(`${rows} rows, ${(statSync(file).size / 2 ** 20).toFixed(0)} MB, Node ${process.version}`)
console.log(`${'question'.padEnd(32)}rows     inside, ms (median, worst of ${runs}; a new connection each)`)
for (const [name, ask] of questions) report(name, ask)
measureProcess()
if (values.keep === undefined) rmSync(directory, { recursive: true })

function report(name: string, ask: (catalog: Catalog) => unknown[]): void {
  let found = 0
  const times = Array.from({ length: runs }, () => {
    const start = performance.now()
    const catalog = openCatalog(file, { readonly: true })
    found = ask(catalog).length
    catalog.close()
    return performance.now() - start
  })
  console.log(`${name.padEnd(32)}${String(found).padStart(6)}  ${spread(times)}`)
}

/** The program itself as people start it, where it is built, beside a Node that does nothing. */
function measureProcess(): void {
  const cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))
  const config = join(directory, 'gocore-sink.conf')
  writeFileSync(config, `ArchiveDirectory=${directory}/archive\nStateDirectory=${directory}\n`, {
    mode: 0o644,
  })
  const commands: [name: string, args: string[]][] = [['a Node that does nothing', ['-e', '0']]]
  if (existsSync(cli))
    commands.push(['gocore-sink ls --since 1h', [cli, 'ls', '--since', '1h', '--config', config]])
  console.log(`${'whole process'.padEnd(32)}            ms (median, worst of ${runs})`)
  for (const [name, args] of commands) {
    const times = Array.from({ length: runs }, () => {
      const start = performance.now()
      const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      if (child.status !== 0) throw new Error(`${name} failed`)
      return performance.now() - start
    })
    console.log(`${name.padEnd(32)}        ${spread(times)}`)
  }
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  return `${sorted[sorted.length >> 1]!.toFixed(1).padStart(9)} ${sorted.at(-1)!.toFixed(1).padStart(9)}`
}

/** A year of crashes, dense enough that the last hour has about a hundred of them. */
function fill(): void {
  const catalog = openCatalog(file)
  const programs = ['api', 'billing', 'worker', 'gateway', 'search', 'mailer']
  for (let from = 0; from < rows; from += 20_000)
    catalog.transaction(() => {
      for (let n = from; n < Math.min(rows, from + 20_000); n++) {
        const program = programs[n % programs.length]!
        catalog.put(crash(n, program), {
          message:
            n % 100_003 === 7
              ? 'panic: needle in nil map'
              : `panic: runtime error: index out of range [${n % 97}]`,
          frames: `main.worker\n${program}.go:${n % 400}\nmain.${program}${n % 50}\nruntime.goexit`,
        })
      }
    })
  catalog.close()
}

function crash(n: number, program: string): CrashRow {
  const time = Math.round(now - (year * n) / rows)
  return {
    id: idOf(n),
    day: new Date(time).toISOString().slice(0, 10).replaceAll('-', '/'),
    time,
    host: `node-${n % 40}`,
    pid: 1000 + ((n * 7919) % 60_000),
    uid: 1000 + (n % 9),
    comm: program,
    exe: `/srv/${program}/${program}`,
    ...{
      signal: 6,
      signalName: 'SIGABRT',
      coreState: 'complete',
      coreReason: null,
      rawSize: 2e8,
      storedSize: 3e6,
    },
    ...{
      expectedSize: 2e8,
      heldMs: 200,
      pinned: false,
      held: false,
      shrunk: false,
      analysis: 'done',
      analysisError: null,
      goVersion: 'go1.26.8',
    },
    programVersion: `v1.${n % 30}.0`,
    deathKind: 'panic',
    cause: `panic: runtime error: index out of range [${n % 97}]`,
    causeAt: `${program}.go:${n % 400}`,
    signatureKey: `sig${n % 300}`,
    signatureText: `panic ${program} main.worker ${n % 300}`,
    goroutines: 10 + (n % 90),
  }
}

function idOf(n: number): string {
  let mixed = BigInt(n) * 0x9e3779b97f4a7c15n
  let id = ''
  for (let at = 0; at < 12; at++) {
    id += 'abcdefghijklmnopqrstuvwxyz234567'[Number((mixed >> 4n) & 31n)]
    mixed = (mixed >> 5n) ^ (mixed * 31n)
    mixed &= (1n << 64n) - 1n
  }
  return (
    id.slice(0, 8) +
    n
      .toString(32)
      .replace(/[018-9]/g, 'w')
      .padStart(4, '2')
      .slice(-4)
  )
}
