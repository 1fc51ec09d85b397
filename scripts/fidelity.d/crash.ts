/** Runs a program until it dies of itself, or asks for a signal and dies of that, and keeps its core and its last words. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CorePattern } from '../../test/support/core-pattern.ts'

export interface Crash {
  program: string
  executable: string
  core: string
  /** File of what it wrote to standard error. */
  text: string
  /** CLOCK_MONOTONIC of the death in nanoseconds: a core does not hold it, the product's handler takes it down. */
  monotonicNow?: number
}

/** A program that runs and has not yet been let die. */
export interface Running {
  child: ChildProcess
  /** The signal that it asked for; resolves to undefined where it died without asking. */
  asked: Promise<NodeJS.Signals | undefined>
  /** The signal that ended it; resolves to null where it exited. */
  died: Promise<NodeJS.Signals | null>
  text: string
}

/** Where the kernel leaves cores: by the global process id. */
export function corePatternIn(dir: string): string {
  return join(dir, 'core.%P')
}

/** Starts it with an empty environment: a core holds the environment. */
export function start(executable: string, program: string, dir: string): Running {
  mkdirSync(dir, { recursive: true })
  const text = join(dir, `${program}.txt`)
  const stderr = openSync(text, 'w')
  const child = spawn('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0"', executable], {
    env: { GOTRACEBACK: 'crash' },
    cwd: dir,
    stdio: ['ignore', 'pipe', stderr],
  })
  closeSync(stderr)
  const died = new Promise<NodeJS.Signals | null>(resolve =>
    child.once('exit', (_, signal) => resolve(signal)),
  )
  const asked = new Promise<NodeJS.Signals | undefined>(resolve => {
    let seen = ''
    child.stdout!.setEncoding('latin1').on('data', chunk => {
      seen += chunk
      const match = /^send (SIG[A-Z]+)$/m.exec(seen)
      if (match) resolve(match[1] as NodeJS.Signals)
    })
    child.once('exit', () => resolve(undefined))
  })
  return { child, asked, died, text }
}

/** Lets it die; the core pattern must be set. Gives undefined where no core came within the time. */
export async function finish(
  running: Running,
  executable: string,
  program: string,
  dir: string,
  timeoutMs = 180_000,
): Promise<Crash | undefined> {
  const timer = setTimeout(() => running.child.kill('SIGKILL'), timeoutMs)
  const signal = await running.asked
  let now = process.hrtime.bigint()
  if (signal !== undefined) running.child.kill(signal)
  await running.died
  if (signal === undefined) now = process.hrtime.bigint()
  clearTimeout(timer)
  running.child.stdout!.destroy()
  const left = join(dir, `core.${running.child.pid}`)
  if (!existsSync(left) || statSync(left).size === 0) return undefined
  const core = join(dir, `${program}.core`)
  rmSync(core, { force: true })
  renameSync(left, core)
  return { program, executable, core, text: running.text, monotonicNow: Number(now) }
}

/**
 * Two threads that throw at once may end the program by exit(2) (startpanic_m in runtime/panic.go), which leaves no core
 * that could be read: such a program is run again.
 */
async function crashOne(executable: string, program: string, dir: string): Promise<Crash | undefined> {
  for (let left = 3; ; left--) {
    const running = start(executable, program, dir)
    const crash = await finish(running, executable, program, dir)
    if (crash !== undefined || left === 1 || (await running.died) !== null) return crash
  }
}

/** Crashes the programs, `jobs` at a time, while the pattern is ours. */
export async function crashAll(
  pattern: CorePattern,
  bin: string,
  programs: readonly string[],
  dir: string,
  jobs: number,
): Promise<{ crashes: Crash[]; failed: string[] }> {
  mkdirSync(dir, { recursive: true })
  pattern.set(corePatternIn(dir))
  const crashes: Crash[] = []
  const failed: string[] = []
  const queue = [...programs]
  const worker = async (): Promise<void> => {
    for (let program = queue.shift(); program !== undefined; program = queue.shift()) {
      const executable = join(bin, program)
      const crash = await crashOne(executable, program, dir)
      if (crash) crashes.push(crash)
      else failed.push(program)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return { crashes: crashes.sort((a, b) => (a.program < b.program ? -1 : 1)), failed }
}
