/** Runs the program as a user would, with nothing of the surroundings but what is said. */
import { spawnSync } from 'node:child_process'
import { compileCache } from '../support/compile-cache.ts'
import { commandLine } from '../support/programs.ts'

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export function runCli(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Outcome {
  const run = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', commandLine, ...args], {
    cwd: options.cwd ?? '/',
    env: {
      PATH: process.env.PATH!,
      HOME: '/nonexistent',
      TZ: 'UTC',
      NODE_COMPILE_CACHE: compileCache,
      ...options.env,
    },
    encoding: 'utf8',
    input: options.input ?? '',
    maxBuffer: 256 * 1024 * 1024,
  })
  return { status: run.status ?? -1, stdout: run.stdout, stderr: run.stderr }
}
