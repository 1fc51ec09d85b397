/**
 * For scale: what dlv finds of the same stacks, by function, file and line only. It is not asked for states, arguments
 * or creators, frames that it adds below the runtime's first are forgiven, and its `runtime.gopanic` passes for `panic`.
 */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OracleFrame, parseTraceback } from '../../test/support/traceback.ts'
import type { Crash } from './crash.ts'
import type { Cell } from './table.ts'

export async function countDelve(crash: Crash, cell: Cell): Promise<void> {
  const found = parseDelve(await runDelve(crash))
  for (const goroutine of parseTraceback(readFileSync(crash.text, 'utf8')).goroutines.values()) {
    if (goroutine.unavailable || goroutine.elided) continue
    const theirs = goroutine.frames.map(keyOf)
    const dlv = found.get(goroutine.id) ?? []
    const equal = inOrder(theirs, dlv)
    cell.dlv.goroutines++
    cell.dlv.frames += theirs.length
    cell.dlv.equalFrames += equal
    if (equal === theirs.length) cell.dlv.whole++
  }
}

function keyOf(frame: OracleFrame): string {
  return `${frame.function === 'panic' ? 'runtime.gopanic' : frame.function} ${frame.file}:${frame.line}`
}

/** How many of the wanted lines are there, in their order. */
function inOrder(wanted: string[], there: string[]): number {
  let [count, at] = [0, 0]
  for (const line of wanted) {
    const place = there.indexOf(line, at)
    if (place < 0) continue
    count++
    at = place + 1
  }
  return count
}

/** Goroutine id → `function file:line` of each frame, from the output of `goroutines -t`. */
function parseDelve(text: string): Map<number, string[]> {
  const result = new Map<number, string[]>()
  let frames: string[] = []
  let name = ''
  for (const line of text.split('\n')) {
    const header = /^[* ] Goroutine (\d+) /.exec(line)
    const frame = /^\s+\d+ {2}0x[0-9a-f]+ in (.*)$/.exec(line)
    const place = /^\s+at (.*:\d+)$/.exec(line)
    if (header) {
      frames = []
      result.set(Number(header[1]), frames)
    } else if (frame) name = frame[1]!
    else if (place) frames.push(`${name} ${place[1]}`)
  }
  return result
}

function runDelve(crash: Crash): Promise<string> {
  const script = join(tmpdir(), `gocore-dlv-${process.pid}.init`)
  writeFileSync(script, 'goroutines -t 200\nexit\n')
  const args = ['core', crash.executable, crash.core, '--check-go-version=false']
  args.push('--allow-non-terminal-interactive=true', '--init', script)
  return new Promise(resolve => {
    let text = ''
    const child = spawn('dlv', args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 120_000 })
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    child.once('error', () => resolve(''))
    child.once('close', () => {
      rmSync(script, { force: true })
      // biome-ignore lint/complexity/useRegexLiterals: the escape reads better so
      resolve(text.replace(new RegExp('\u001b\\[[0-9;]*m', 'g'), ''))
    })
  })
}
