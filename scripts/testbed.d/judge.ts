/**
 * What came of crashes of ballast.go: `judge.ts LINE LIMIT NAME...` waits until the daemon has brought all of them home and
 * analysed them, prints one line of the table that scripts/faults prints too, and removes their dumps. LIMIT is how many
 * milliseconds a crashed process may be held, 0 for any. Runs in the machine; ballast and its shell have left NAME.died and
 * NAME.ended in /vm.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

interface Row {
  readonly id: string
  readonly day: string
  readonly comm: string
  readonly analysis: string
  readonly coreState: string
}

const [line, limit, ...names] = process.argv.slice(2) as [string, string, ...string[]]
const archive = process.env.ARCHIVE ?? '/var/lib/gocore-sink'
const spool = '/var/lib/gocore-sink-state/spool/dumps'
const patienceMs = 15 * 60_000
const pageSize = 4096

const why: string[] = []
const cut: string[] = []
const rows = await settle()
let lost = 0
let twice = 0
let wrong = 0
const kinds = { complete: 0, truncated: 0, none: 0 }
for (const name of names) {
  const own = rows.filter(({ comm }) => comm === name)
  if (own.length === 0) {
    lost++
    why.push(`${name} is not listed`)
  }
  twice += Math.max(0, own.length - 1)
  if (own.length > 1) why.push(`${name} is listed as ${own.map(({ id }) => id).join(', ')}`)
  for (const row of own) {
    kinds[row.coreState as keyof typeof kinds]++
    if (row.coreState !== 'complete') {
      cut.push(`${name} is cut: ${detailOf(row)}`)
      continue
    }
    const problem = await problemOf(row)
    if (problem === undefined) continue
    wrong++
    why.push(`${name} (${row.id}) is called complete: ${problem}`)
  }
}
for (const { id, comm } of rows.filter(({ comm }) => !names.includes(comm))) {
  twice++
  why.push(`${id} (${comm}) is listed, and nothing like it crashed`)
}
const verify = gocore('verify', '--no-pager')
if (verify.status !== 0) {
  wrong++
  why.push(`verify: ${verify.stdout}${verify.stderr}`)
}
const held = Math.max(0, ...names.map(heldMs))
if (Number(limit) > 0 && held > Number(limit)) {
  wrong++
  why.push(`held for ${held} ms, where ${limit} ms are the most`)
}
if (rows.length > 0) {
  const removal = gocore('rm', '--yes', ...rows.map(({ id }) => id))
  if (removal.status !== 0) why.push(`rm: ${removal.stdout}${removal.stderr}`)
}
const { complete, truncated, none } = kinds
process.stdout.write(
  `| ${line} | ${names.length} | ${lost} | ${twice} | ${wrong} | ${(held / 1000).toFixed(2)} s | ${complete} / ${truncated} / ${none} |\n`,
)
for (const sentence of [...why, ...cut]) process.stdout.write(`      ${sentence}\n`)
process.exitCode = lost + twice + wrong === 0 ? 0 : 1

/** The list when nothing is under way any more, or patience ends. */
async function settle(): Promise<Row[]> {
  const begun = performance.now()
  for (;;) {
    const now = list()
    const there = names.every(name => now.some(({ comm }) => comm === name))
    const done = there && now.every(({ analysis }) => analysis !== 'pending') && !spoolHasDumps()
    if (done) return now
    if (performance.now() - begun > patienceMs) {
      why.push(
        `not settled after ${patienceMs / 1000} s${spoolHasDumps() ? ', and the spool is not empty' : ''}`,
      )
      return now
    }
    await setTimeout(3000)
  }
}

function list(): Row[] {
  const { stdout } = gocore('ls', '--json', '--limit', '100000')
  return stdout === '' ? [] : (JSON.parse(stdout) as { crashes: Row[] }).crashes
}

/** A dump, finished or not, of which something is written. */
function spoolHasDumps(): boolean {
  if (!existsSync(spool)) return false
  const files = readdirSync(spool, { recursive: true, encoding: 'utf8' })
  return files.some(file => /manifest\.json|pending|core/.test(file))
}

function detailOf(row: Row): string {
  const { core, notes } = JSON.parse(readFileSync(join(directoryOf(row), 'manifest.json'), 'utf8')) as {
    core: { reason?: string; detail?: string; raw_size: number; expected_size?: number }
    notes: string[]
  }
  return `${core.reason}, ${core.raw_size} of ${core.expected_size} bytes: ${core.detail}; ${notes.join('; ')}`
}

function directoryOf({ id, day }: Row): string {
  return join(archive, 'dumps', ...day.split(/[-/]/), id)
}

/** What of the program's memory the core does not have as the program had it; undefined where it has all. */
async function problemOf(row: Row): Promise<string | undefined> {
  const { comm } = row
  const path = join(directoryOf(row), 'core.lz4')
  const [, pages, digest] = readFileSync(`/vm/${comm}.died`, 'latin1').trim().split(' ')
  const { hash, found, error } = await pagesOf(path, comm)
  if (error !== '') return error
  if (found !== Number(pages)) return `${found} of ${pages} pages in their order`
  return hash.digest('hex') === digest ? undefined : 'its pages are not what they were'
}

async function pagesOf(path: string, name: string): Promise<{ hash: Hash; found: number; error: string }> {
  const child = spawn('lz4', ['-dc', path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let error = ''
  child.stderr.on('data', (text: Buffer) => {
    error += text
  })
  const ended = new Promise<number | null>(done => child.on('close', done))
  const hash = createHash('sha256')
  const title = `page of ${name.padEnd(16)}`
  let found = 0
  let rest = Buffer.alloc(0)
  for await (const chunk of child.stdout) {
    const bytes = Buffer.concat([rest, chunk as Buffer])
    let at = 0
    for (; at + pageSize <= bytes.length; at += pageSize) {
      if (bytes.toString('latin1', at, at + 32) !== title + String(found).padStart(8, '0')) continue
      hash.update(bytes.subarray(at, at + pageSize))
      found++
    }
    rest = bytes.subarray(at)
  }
  const status = await ended
  return { hash, found, error: status === 0 ? '' : `lz4 -dc ended with ${status}: ${error}` }
}

/** From the program's last word to its parent's first, milliseconds. */
function heldMs(name: string): number {
  const read = (end: string): number => Number(readFileSync(`/vm/${name}.${end}`, 'latin1').split(' ')[0])
  try {
    return Math.round((read('ended') - read('died')) / 1000)
  } catch {
    // The machine lost power before its parent could say so.
    return 0
  }
}

function gocore(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('gocore-sink', words, { encoding: 'utf8', maxBuffer: 1 << 28 })
}
