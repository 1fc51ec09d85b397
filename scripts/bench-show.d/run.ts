/** Runs a program to its end and tells how long it took and how much memory it held at most. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

export interface Cost {
  ms: number
  /** The kernel's own high-water mark, looked up every few milliseconds while the process lives. */
  mb: number
}

export function run(command: string, args: readonly string[], outputFile = '/dev/null'): Promise<Cost> {
  const output = openSync(outputFile, 'w')
  const start = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, highWater(child.pid!))
  }, 4)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => {
      clearInterval(timer)
      const ms = performance.now() - start
      if (code === 0) resolve({ ms, mb: peak })
      else reject(new Error(`${command} ${args.join(' ')}: ended with ${code}`))
    })
  })
}

function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** `1.23 s (1.20–1.31)`. */
export function seconds(costs: readonly Cost[]): string {
  const all = costs.map(({ ms }) => ms / 1000)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const digits = median(all) < 10 ? 2 : 0
  return `${median(all).toFixed(digits)} s (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

export const peakOf = (costs: readonly Cost[]): number => Math.max(...costs.map(({ mb }) => mb))

/** How many times as long the second takes as the first; the spread is that of all pairs of runs. */
export function ratio(ours: readonly Cost[], theirs: readonly Cost[]): string {
  const of = (a: Cost, b: Cost): number => b.ms / a.ms
  const all = ours.flatMap(a => theirs.map(b => of(a, b)))
  return `${median(all).toFixed(1)}× (${Math.min(...all).toFixed(1)}–${Math.max(...all).toFixed(1)})`
}
