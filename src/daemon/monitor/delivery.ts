/**
 * Who delivers the outbox: a service of its own under systemd, whose path unit sees the letters, since the daemon has no
 * network there; elsewhere a child of the daemon, as another user where the daemon is root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { accountFor } from '../account.ts'

export const hooksUser = 'gocore-sink-hooks'

/** Set by the daemon's unit. */
const isApart = (env: NodeJS.ProcessEnv = process.env): boolean => env.GOCORE_SINK_HOOKS === 'unit'

/** The group that may fetch letters; undefined for the daemon's own user. */
export const deliveryGroup = (): number | undefined => accountFor(hooksUser)?.gid

const program = (): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? './deliver-child.ts' : './deliver.js', import.meta.url),
  )

export interface DeliveryOptions {
  readonly configPath?: string | undefined
  readonly onProblem: (sentence: string) => void
}

/** Milliseconds before a child that failed is started again. */
const againMs = 60_000

export class Delivery {
  readonly #options: DeliveryOptions
  #child: ChildProcess | undefined
  /** By `performance.now()`. */
  #notBefore = 0

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  /** Sees to it that the letters in `directory` are delivered. */
  begin(directory: string): void {
    if (isApart() || this.#child !== undefined || performance.now() < this.#notBefore) return
    const { configPath } = this.#options
    const account = accountFor(hooksUser)
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program(), ...(configPath ? ['--config', configPath] : [])],
      {
        // Entered before the user changes, who could not pass through the directories above.
        cwd: directory,
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        stdio: ['ignore', 'inherit', 'inherit'],
        ...(account ?? {}),
      },
    )
    this.#child = child
    const end = (why: string | undefined): void => {
      if (this.#child !== child) return
      this.#child = undefined
      if (why === undefined) return
      this.#notBefore = performance.now() + againMs
      this.#options.onProblem(`Hooks could not be delivered, trying again later: ${why}`)
    }
    child.on('error', error => end(error.message))
    child.on('exit', (status, signal) => end(status === 0 ? undefined : `status ${status ?? signal}`))
  }

  stop(): void {
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGTERM')
  }
}
