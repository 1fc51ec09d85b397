/** One target in its own process, watched for hangs. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { limits } from './limits.ts'

export interface Series {
  seed: string
  first: string
  count: string
  seconds: string
}

export function runTarget(name: string, series: Series): Promise<{ ok: boolean; output: string }> {
  const { seed, first, count, seconds } = series
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'worker.ts'),
      name,
      seed,
      first,
      count,
      seconds,
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', chunk => {
      output += chunk
    })
  }
  let last = first
  const watchdog = setTimeout(() => child.kill('SIGKILL'), limits.hangMs)
  child.stdio[3]!.on('data', (chunk: Buffer) => {
    last = chunk.toString('latin1').trimEnd().split('\n').at(-1)!
    watchdog.refresh()
  })
  return new Promise(resolve => {
    child.once('close', (code, signal) => {
      clearTimeout(watchdog)
      const ok = code === 0
      if (!ok && code !== 1)
        output += `${name} input ${last}: ended by ${signal ?? code}\n  again: scripts/fuzz --target ${name} --seed ${seed} --first ${last} --count 1\n`
      resolve({ ok, output })
    })
  })
}
