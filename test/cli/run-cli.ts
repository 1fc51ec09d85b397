/** Runs the program from source as a user would, with nothing of the surroundings but what is said. */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Node's own place for it; without it each run strips the types of a hundred files anew. */
const cache = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache')
const program = join(import.meta.dirname, '../../src/cli/main.ts')

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export function runCli(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Outcome {
  const run = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    cwd: options.cwd ?? '/',
    env: {
      PATH: process.env.PATH!,
      HOME: '/nonexistent',
      TZ: 'UTC',
      NODE_COMPILE_CACHE: cache,
      ...options.env,
    },
    encoding: 'utf8',
    input: options.input ?? '',
    maxBuffer: 256 * 1024 * 1024,
  })
  return { status: run.status ?? -1, stdout: run.stdout, stderr: run.stderr }
}
