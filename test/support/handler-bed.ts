/** A handler with an archive of its own, fed by the kernel's pipe or by a replay. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DumpEntry, type LocalStore, openLocalStore } from '../../src/archive/index.ts'
import { gateDirectory, gateLimits, loadConfigOrDefaults } from '../../src/config/index.ts'
import { handlerBounds } from '../../src/install/bounds.ts'
import { gateText } from '../../src/install/gate.ts'
import { compileCache } from './compile-cache.ts'
import { takeCorePattern } from './core-pattern.ts'
import { handler } from './programs.ts'

const fields = '%P %u %g %s %t %c %e %h %I %d -F%F'

/** Why crashes through the kernel can't be had here, or false. */
export const noKernel =
  process.getuid?.() !== 0 || process.platform !== 'linux' ? 'crashes through the kernel need root' : false

interface CrashOptions {
  readonly pattern?: string
  readonly limit?: string
  readonly during?: (pid: number) => Promise<void>
}

export class HandlerBed {
  static handler = handler
  readonly directory: string
  readonly config: string

  constructor(settings: Record<string, string> = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'gocore-bed-'))
    this.config = this.path('conf')
    const all = {
      ArchiveDirectory: this.path('archive'),
      StateDirectory: this.path('state'),
      RuntimeDirectory: this.path('run'),
      ...settings,
    }
    const text = Object.entries(all).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(this.config, text.join(''), { mode: 0o644 })
    const program = [process.execPath, '--disable-warning=ExperimentalWarning', HandlerBed.handler]
    const { config } = loadConfigOrDefaults(this.config)
    // Whoever is not root has nothing to give up.
    const bounds = process.getuid?.() === 0 ? handlerBounds() : []
    const gate = { directory: gateDirectory(config), ...gateLimits(config), bounds }
    const kept = `export NODE_COMPILE_CACHE='${compileCache}'\n`
    writeFileSync(this.path('h'), `#!/bin/sh\n${kept}${gateText(program, this.config, gate)}`)
    chmodSync(this.path('h'), 0o755)
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  get store(): LocalStore {
    return openLocalStore(this.path('archive'))
  }

  get spool(): LocalStore {
    return openLocalStore(this.path('state/spool'))
  }

  dumps(store: LocalStore = this.store): DumpEntry[] {
    return [...store.list()]
  }

  /** Waits until nothing of this bed's handlers runs any more. */
  async settle(): Promise<void> {
    for (let i = 0; i < 600 && this.handlers().length > 0; i++)
      await new Promise(done => setTimeout(done, 50))
  }

  handlers(): number[] {
    return readdirSync('/proc')
      .filter(name => /^[0-9]+$/.test(name))
      .filter(pid => {
        try {
          const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
          return command.includes(`${this.config}\0--\0`) || command.includes(`${this.path('h')}\0`)
        } catch {
          return false
        }
      })
      .map(Number)
  }

  /** Runs shell text with core dumps allowed and piped to this bed's handler; answers when the dump is stored. */
  async crash(script: string, options: CrashOptions = {}): Promise<{ signal: NodeJS.Signals | null }> {
    const signal = await this.#died(script, options)
    await new Promise(done => setTimeout(done, 50))
    await this.settle()
    return { signal }
  }

  /** Others may set the pattern as soon as the process is gone: the kernel has read it, and the handler runs. */
  async #died(script: string, options: CrashOptions): Promise<NodeJS.Signals | null> {
    using pattern = await takeCorePattern()
    pattern.set(options.pattern ?? `|${this.path('h')} ${fields}`, { pipeLimit: 16 })
    const child = spawn('/bin/sh', ['-c', `ulimit -c ${options.limit ?? 'unlimited'}; ${script}`], {
      env: { LANG: 'C', SECRET_TOKEN: 'do not store' },
      cwd: this.directory,
      stdio: 'ignore',
    })
    const ended = new Promise<NodeJS.Signals | null>(resolve =>
      child.once('exit', (_, signal) => resolve(signal)),
    )
    await options.during?.(child.pid!)
    return await ended
  }

  /** Feeds `core` to the handler as the kernel does, descriptors 1 and 2 closed and the environment empty. */
  replay(core: Buffer, args: readonly string[], options: { prefix?: string } = {}): number | null {
    const script = `exec ${options.prefix ?? ''} "$0" "$@" >&- 2>&-`
    return spawnSync('/bin/sh', ['-c', script, this.path('h'), ...args], {
      env: {},
      cwd: '/',
      input: core,
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: 60_000,
    }).status
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Looks again and again until `work` is over. */
export async function meanwhile<T>(work: Promise<T>, look: () => void): Promise<T> {
  const watch = setInterval(look, 50)
  try {
    return await work
  } finally {
    clearInterval(watch)
  }
}

/** Lines of the kernel log that one of these handlers was ended for standing still: others' tests end others. */
export const endedOf = (handlers: ReadonlySet<number>): string[] =>
  [...handlers].flatMap(pid => kernelLog(`ENDED the handler ${pid}, `))

/** Lines that the kernel log has of us since it was last looked at, as far as they hold `text`. */
export function kernelLog(text: string): string[] {
  return spawnSync('dmesg', { encoding: 'utf8', maxBuffer: 64 << 20 })
    .stdout.split('\n')
    .filter(line => line.includes('gocore-sink:') && line.includes(text))
}
