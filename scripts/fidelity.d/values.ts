/**
 * `scripts/fidelity --values`: expressions over real crashes, the engine's text against dlv's. A table of equal, better
 * (with the rule that says why) and miss; misses in full.
 */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeCorePattern } from '../../test/support/core-pattern.ts'
import { crashAll } from './crash.ts'
import { keepExecutable } from './kept.ts'
import { build, built, valueKinds } from './toolchains.ts'
import { rules } from './values-better.ts'
import { askDelve, type Question } from './values-delve.ts'
import { askEngine } from './values-engine.ts'
import { questionsOf, valuePrograms } from './values-questions.ts'

const versions = ['1.19', '1.21', '1.23', '1.24', '1.26', '1.27']

interface Tally {
  expressions: number
  equal: number
  /** Neither answers. */
  neither: number
  better: Map<string, number>
  misses: string[]
}

/** Exit code: 1 where anything was missed. */
export async function compareValues(options: {
  go: readonly string[] | undefined
  kind: readonly string[] | undefined
  keep: string | undefined
}): Promise<number> {
  const work = options.keep ?? join(tmpdir(), `gocore-values-${process.pid}`)
  const total: Tally = { expressions: 0, equal: 0, neither: 0, better: new Map(), misses: [] }
  process.stdout.write(`${'Go and build'.padEnd(28)}expressions   equal  better    miss neither\n`)
  for (const go of options.go ?? versions)
    for (const kind of options.kind ?? Object.keys(valueKinds)) {
      // Go writes DWARF 5 since 1.25.
      if (kind.endsWith('dwarf5') && Number(go.split('.')[1]) < 25) continue
      const tally = await compareCell(go, kind, join(work, go, kind))
      if (!tally) continue
      print(`go${go} ${kind}`, tally)
      add(total, tally)
    }
  print('all', total)
  for (const [why, count] of [...total.better].sort((a, b) => b[1] - a[1]))
    process.stdout.write(`better ${String(count).padStart(5)}  ${why}\n`)
  for (const miss of total.misses) process.stdout.write(`${miss}\n`)
  if (options.keep === undefined) rmSync(work, { recursive: true, force: true })
  return total.misses.length === 0 && total.expressions > 0 ? 0 : 1
}

async function compareCell(go: string, kind: string, dir: string): Promise<Tally | undefined> {
  const bin = await build(go, kind, valuePrograms)
  if (bin === undefined) return undefined
  const { crashes } = await crash(bin, dir)
  const tally: Tally = { expressions: 0, equal: 0, neither: 0, better: new Map(), misses: [] }
  for (const { program, executable, core } of crashes) {
    const questions = questionsOf(program)
    const dlv = await askDelve({ executable, core }, questions)
    const ours = askEngine({ executable, core }, questions)
    for (const [i, question] of questions.entries())
      judge(tally, `go${go} ${kind} ${program}`, question, dlv[i]!, ours[i]!)
  }
  return tally
}

async function crash(bin: string, dir: string): ReturnType<typeof crashAll> {
  using pattern = await takeCorePattern()
  const { crashes, failed } = await crashAll(pattern, bin, built(bin, valuePrograms), dir, 2)
  return { crashes: crashes.map(one => keepExecutable(one, dir)), failed }
}

function judge(tally: Tally, where: string, question: Question, dlv: string, ours: string): void {
  tally.expressions++
  if (dlv.startsWith('error: ') && ours.startsWith('error: ')) {
    tally.neither++
    return
  }
  if (dlv === ours) {
    tally.equal++
    return
  }
  const rule = rules.find(({ applies }) => applies(dlv, ours))
  if (rule) {
    tally.better.set(rule.why, (tally.better.get(rule.why) ?? 0) + 1)
    return
  }
  const { frame, expression, short } = question
  const from = frame === undefined ? '' : ` in ${frame}`
  tally.misses.push(
    `\n${where}${from}: ${expression}${short ? ' (on one line)' : ''}\n  dlv:  ${cut(dlv)}\n  ours: ${cut(ours)}`,
  )
}

const cut = (text: string): string => (text.length > 1500 ? `${text.slice(0, 1500)}…` : text)

function add(total: Tally, tally: Tally): void {
  total.expressions += tally.expressions
  total.equal += tally.equal
  total.neither += tally.neither
  for (const [why, count] of tally.better) total.better.set(why, (total.better.get(why) ?? 0) + count)
  total.misses.push(...tally.misses)
}

function print(name: string, { expressions, equal, better, misses, neither }: Tally): void {
  const betterCount = [...better.values()].reduce((sum, count) => sum + count, 0)
  const columns = [expressions, equal, betterCount, misses.length, neither].map((n, i) =>
    String(n).padStart(i === 0 ? 11 : 8),
  )
  process.stdout.write(`${name.padEnd(28)}${columns.join('')}\n`)
}
