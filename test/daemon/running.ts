/** A daemon as a process of its own, over an archive of a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CrashRow } from '../../src/catalog/index.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { daemon as daemonProgram } from '../support/programs.ts'
import type { TestArchive } from './archive.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
export const child = (name: string): string => path(`./children/${name}.ts`)

export interface Running {
  readonly process: ChildProcess
  /** What it has logged so far. */
  log(): string
  row(id: string): CrashRow | undefined
  /** Ends it and answers its exit status or signal. */
  end(signal: NodeJS.Signals): Promise<number | string>
  [Symbol.asyncDispose](): Promise<void>
}

export interface StartOptions {
  program?: string
  graceMs?: number
  /** Lines of the configuration. */
  lines?: string[]
  env?: Record<string, string>
  /** What the log of one that has started says. */
  started?: RegExp
}

export const configOf = (archive: TestArchive): string => join(archive.directory, 'gocore-sink.conf')

export function writeConfig({ directory }: TestArchive, lines: string[] = []): void {
  const own = [
    `ArchiveDirectory=${directory}/archive`,
    `StateDirectory=${directory}/state`,
    `RuntimeDirectory=${directory}/run`,
  ]
  const file = join(directory, 'gocore-sink.conf')
  writeFileSync(file, [...own, 'LogLevel=debug', 'AnalysisUser=', 'KernelLog=no', ...lines, ''].join('\n'), {
    mode: 0o644,
  })
}

export async function startDaemon(archive: TestArchive, options: StartOptions = {}): Promise<Running> {
  writeConfig(archive, options.lines)
  const program = options.program
    ? [child('daemon'), configOf(archive), options.program, String(options.graceMs ?? 5000)]
    : [daemonProgram, '--config', configOf(archive)]
  const daemon = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH!, ...options.env },
  })
  let log = ''
  daemon.stderr!.on('data', (piece: Buffer) => {
    log += piece.toString()
  })
  const ended = once(daemon, 'exit') as Promise<[number | null, string | null]>
  const end = async (signal: NodeJS.Signals): Promise<number | string> => {
    daemon.kill(signal)
    const [status, by] = await ended
    return status ?? by!
  }
  const running: Running = {
    process: daemon,
    log: () => log,
    row(id) {
      const catalog = openCatalog(join(archive.directory, 'state', 'catalog.db'), { readonly: true })
      try {
        return catalog.get(id)
      } finally {
        catalog.close()
      }
    },
    end,
    async [Symbol.asyncDispose]() {
      if (daemon.exitCode === null && daemon.signalCode === null) await end('SIGKILL')
    },
  }
  try {
    await until(
      () => (options.started ?? /keeps/).test(log) || daemon.exitCode !== null,
      () => `it does not start: ${log}`,
      60_000,
    )
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
  return running
}

export async function until(true_: () => boolean, what: () => string, ms = 30_000): Promise<void> {
  for (const end = Date.now() + ms; !true_(); await sleep(20)) if (Date.now() > end) throw new Error(what())
}
