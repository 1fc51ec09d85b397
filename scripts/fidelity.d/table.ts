/** The figures of a run: cells of Go version × kind of build, and the misses in full. */
import { rmSync, writeFileSync } from 'node:fs'
import type { Comparison } from './compare.ts'

export class Cell {
  programs = 0
  clean = 0
  goroutines = 0
  whole = 0
  frames = 0
  equalFrames = 0
  threads = 0
  equalThreads = 0
  moved = 0
  /** What dlv gets, where it was asked. */
  readonly dlv = { goroutines: 0, whole: 0, frames: 0, equalFrames: 0 }
  slowest = { program: '', ms: 0 }
  readonly misses: string[] = []

  /** Takes in one program's comparison; tells whether nothing was missed. */
  add(program: string, where: string, comparison: Comparison, ms: number): boolean {
    this.programs++
    this.goroutines += comparison.goroutines
    this.whole += comparison.whole
    this.frames += comparison.frames
    this.equalFrames += comparison.equalFrames
    this.threads += comparison.threads
    this.equalThreads += comparison.equalThreads
    this.moved += comparison.moved
    if (ms > this.slowest.ms) this.slowest = { program, ms }
    const clean = comparison.misses.length === 0
    if (clean) this.clean++
    for (const miss of comparison.misses) {
      const who = miss.goroutine === undefined ? '' : ` goroutine ${miss.goroutine}`
      this.misses.push(`${where} ${program}${who}\n${miss.lines.map(line => `  ${line}`).join('\n')}\n`)
    }
    return clean
  }

  fail(program: string, where: string, why: string): void {
    this.programs++
    this.goroutines++
    this.misses.push(`${where} ${program}\n  ${why}\n`)
  }
}

export class Table {
  readonly #cells = new Map<string, { go: string; kind: string; cell: Cell }>()

  cell(go: string, kind: string): Cell {
    const cell = this.#cells.get(`${go} ${kind}`)?.cell ?? new Cell()
    this.#cells.set(`${go} ${kind}`, { go, kind, cell })
    return cell
  }

  /** One line as a cell is done. */
  print(go: string, kind: string): void {
    const { cell } = this.#cells.get(`${go} ${kind}`)!
    const slow = `slowest ${cell.slowest.program} ${Math.round(cell.slowest.ms)} ms`
    process.stdout.write(`${`go${go} ${kind}`.padEnd(24)} ${line(cell)}  ${slow}\n`)
  }

  /** Rows of Go versions, columns of kinds: goroutines whole, frames equal. */
  printAll(): void {
    const all = [...this.#cells.values()]
    const columns = [...new Set(all.map(({ kind }) => kind))]
    const rows = [...new Set(all.map(({ go }) => go))]
    const width = 20
    process.stdout.write(`\ngoroutines whole / frames equal\n${'Go'.padEnd(6)}`)
    process.stdout.write(`${columns.map(kind => kind.padStart(width)).join('')}\n`)
    for (const go of rows) {
      const cells = columns.map(kind => this.#cells.get(`${go} ${kind}`)?.cell)
      const texts = cells.map(cell =>
        cell ? `${percent(cell.whole, cell.goroutines)} / ${percent(cell.equalFrames, cell.frames)}` : '-',
      )
      process.stdout.write(`${go.padEnd(6)}${texts.map(text => text.padStart(width)).join('')}\n`)
    }
    const total = new Cell()
    for (const { cell } of all) {
      for (const key of [
        'programs',
        'clean',
        'goroutines',
        'whole',
        'frames',
        'equalFrames',
        'threads',
        'equalThreads',
        'moved',
      ] as const)
        total[key] += cell[key]
      for (const key of ['goroutines', 'whole', 'frames', 'equalFrames'] as const)
        total.dlv[key] += cell.dlv[key]
    }
    process.stdout.write(`${'all'.padEnd(24)} ${line(total)}\n`)
  }

  /** Writes the misses to a file and gives the exit code; a temporary directory with none goes away. */
  finish(path: string, temporary: string | undefined): number {
    const misses = [...this.#cells.values()].flatMap(({ cell }) => cell.misses)
    rmSync(path, { force: true })
    if (misses.length === 0) {
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
      return 0
    }
    writeFileSync(path, misses.join('\n'))
    process.stdout.write(`${misses.length} misses, in ${path}\n`)
    return 1
  }
}

function line(cell: Cell): string {
  const part = (name: string, n: number, of: number): string => `${name} ${n}/${of} ${percent(n, of)}`
  return [
    part('programs', cell.clean, cell.programs),
    part('goroutines', cell.whole, cell.goroutines),
    part('frames', cell.equalFrames, cell.frames),
    part('thread stacks', cell.equalThreads, cell.threads),
    ...(cell.moved > 0 ? [`${cell.moved} moved on`] : []),
    ...(cell.dlv.goroutines > 0 ? [dlvLine(cell.dlv)] : []),
  ].join('  ')
}

function dlvLine(dlv: Cell['dlv']): string {
  const [whole, frames] = [percent(dlv.whole, dlv.goroutines), percent(dlv.equalFrames, dlv.frames)]
  return `(dlv: goroutines ${whole}, frames ${frames})`
}

/** Never rounds up to 100: one miss in a million shows. */
export function percent(n: number, of: number): string {
  if (of === 0) return '-'
  return n === of ? '100 %' : `${(Math.floor((n / of) * 10_000) / 100).toFixed(2)} %`
}
