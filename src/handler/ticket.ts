/** The handler's side of the gate (`src/install/gate.ts`): gives the ticket back, and tells the shell what is configured. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Config, gateLimits } from '../config/index.ts'

/** To be given back by whoever was let in. Never throws: a ticket that stays is taken away by the next in line. */
export class Ticket implements Disposable {
  readonly #path: string | undefined

  constructor(path: string | undefined) {
    this.#path = path
  }

  /** The launcher has the limits of the time when it was written. */
  tellLimits(config: Config): void {
    if (this.#path === undefined) return
    const path = join(dirname(this.#path), 'limits')
    const { most, longest } = gateLimits(config)
    const text = `${most} ${longest}\n`
    try {
      if (textOf(path) === text) return
      writeFileSync(`${path}.${process.pid}`, text, { mode: 0o600 })
      renameSync(`${path}.${process.pid}`, path)
    } catch {
      // Then those hold.
    }
  }

  [Symbol.dispose](): void {
    try {
      if (this.#path !== undefined) rmSync(this.#path, { force: true })
    } catch {
      // The next in line sees that we are gone.
    }
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
