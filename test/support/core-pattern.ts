/**
 * The kernel's core_pattern is one setting for the whole machine. Whoever crashes programs for a test takes this lock,
 * sets the pattern, and puts the previous one back on release. The previous value also lies in a file beside the lock,
 * so that a run that was killed is cleaned up after by the next. `scripts/lib/core-pattern.sh` keeps the same protocol.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const lockFile = '/run/lock/gocore-sink-core-pattern.lock'
const savedFile = '/run/lock/gocore-sink-core-pattern.saved'
const settings = ['core_pattern', 'core_pipe_limit', 'core_uses_pid'] as const
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const path = (name: string): string => `/proc/sys/kernel/${name}`

export interface CorePattern {
  set(pattern: string, options?: { pipeLimit?: number }): void
  [Symbol.dispose](): void
}

/** Waits for the lock (flock on a file in /run/lock; released by the kernel when this process ends). */
export async function takeCorePattern(): Promise<CorePattern> {
  const holder = spawn('flock', ['-x', lockFile, 'sh', '-c', 'echo held; cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject)
    holder.once('exit', code => reject(new Error(`flock ended with ${code}`)))
    holder.stdout!.once('data', () => resolve())
  })
  if (existsSync(savedFile)) restore()
  const saved = Object.fromEntries(settings.map(name => [name, readFileSync(path(name), 'latin1').trim()]))
  writeFileSync(savedFile, JSON.stringify(saved))
  let released = false
  const release = (): void => {
    if (released) return
    released = true
    process.off('exit', release)
    for (const signal of endings) process.off(signal, leave)
    restore()
    endHolder(holder)
  }
  process.on('exit', release)
  // A run that is stopped must not leave the machine with its pattern until the next one comes.
  const leave = (): void => process.exit(1)
  for (const signal of endings) process.on(signal, leave)
  return {
    set(pattern, options) {
      writeFileSync(path('core_pattern'), pattern)
      const back = readFileSync(path('core_pattern'), 'latin1').trim()
      if (back !== pattern) throw new Error(`the kernel kept ${JSON.stringify(back)} for core_pattern`)
      if (options?.pipeLimit !== undefined) writeFileSync(path('core_pipe_limit'), String(options.pipeLimit))
      // With 1, the kernel adds .PID to plain file patterns.
      writeFileSync(path('core_uses_pid'), '0')
    },
    [Symbol.dispose]: release,
  }
}

function restore(): void {
  const saved = JSON.parse(readFileSync(savedFile, 'utf8')) as Record<string, string>
  for (const name of settings) if (saved[name] !== undefined) writeFileSync(path(name), saved[name])
  rmSync(savedFile)
}

function endHolder(holder: ChildProcess): void {
  holder.removeAllListeners('exit')
  holder.stdin!.end()
  holder.unref()
}
