/**
 * The handler's side of the gate (`src/install/gate.ts`), and of the receiver's crew: shows that it gets on, gives the ticket
 * back, and tells the gate's shell what is configured.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { dirname, join } from 'node:path'
import { type Config, gateLimits } from '../config/index.ts'

/** Milliseconds between two signs of life. */
const beatEvery = 1000

/** To be given back by whoever was let in. Never throws: a ticket that stays is taken away by the next in line. */
export class Ticket implements Disposable {
  readonly #path: string | undefined
  #beat: number

  /** `isNew`: nobody has written a time into it yet. */
  constructor(path: string | undefined, isNew = false) {
    this.#path = path
    this.#beat = isNew ? Number.NEGATIVE_INFINITY : performance.now()
    if (isNew) this.beat()
  }

  /** To be called whenever something has come or gone: whoever stands still keeps others waiting, and is ended for it. */
  beat(): void {
    const now = performance.now()
    if (this.#path === undefined || now - this.#beat < beatEvery) return
    this.#beat = now
    try {
      writeWhole(this.#path, 'beat', `${Math.round(uptime() * 100)}\n`)
    } catch {
      // Then it is as old as it looks.
    }
  }

  /** The launcher has the limits of the time when it was written. */
  tellLimits(config: Config): void {
    if (this.#path === undefined) return
    const path = join(dirname(this.#path), 'limits')
    const { most, longest } = gateLimits(config)
    const text = `${most} ${longest}\n`
    try {
      if (textOf(path) === text) return
      writeWhole(path, 'limits', text)
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

/** Seconds of uptime() at the last sign of life; undefined where it isn't told. */
export function lastBeat(path: string): number | undefined {
  const text = textOf(path)
  return text !== undefined && /^[0-9]{1,12}\n$/.test(text) ? Number(text) / 100 : undefined
}

/** Whoever reads it has the old text or the new one, and never of both. `name` is that of the file in the making. */
export function writeWhole(path: string, name: string, text: string): void {
  const making = join(dirname(path), `${name}.${process.pid}`)
  writeFileSync(making, text, { mode: 0o600 })
  renameSync(making, path)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
