/**
 * The lines of the kernel log that speak of crashes, kept until they are dealt with. The log is a ring: it is read in time,
 * whatever storage does. RUN/kernel-lines.json has them for a daemon that is started in the meantime.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { reasonOf } from '../base/errors.ts'
import { bootId } from '../base/host-ids.ts'
import { parseKernelLine } from './kernel-crash.ts'
import { KernelLogReader, type LogRecord } from './kernel-log.ts'

export interface KernelLinesOptions {
  /** RuntimeDirectory, which lies in memory. */
  readonly run: string
  readonly onProblem: (sentence: string) => void
}

/** More than that are of a flood, which nobody will read record by record. */
const mostKept = 10_000

export class KernelLines {
  readonly #options: KernelLinesOptions
  readonly #reader: KernelLogReader
  readonly #boot: string
  #kept: LogRecord[]
  #last: number
  /** The same sentence is told once until there is room again. */
  #isFull = false

  /** Throws where the log can't be read. */
  constructor(options: KernelLinesOptions) {
    const boot = bootId()
    if (boot === undefined) throw new Error('the id of this boot is not known')
    this.#options = options
    this.#boot = boot
    this.#reader = new KernelLogReader()
    this.#kept = this.#load()
    this.#last = this.#kept.at(-1)?.sequence ?? -1
  }

  /** Reads what is new; answers all that is not dealt with, oldest first. */
  look(): readonly LogRecord[] {
    const before = this.#kept.length
    for (const line of this.#reader.read(() => this.#options.onProblem(overrun))) {
      if (line.sequence <= this.#last || parseKernelLine(line.text, line.isKernels) === undefined) continue
      if (this.#kept.length < mostKept) this.#kept.push(line)
      else this.#complainOfFlood()
      this.#last = line.sequence
    }
    if (this.#kept.length !== before) this.#store()
    return this.#kept
  }

  /** Lines up to this one need not be kept. */
  dealtWith(sequence: number): void {
    const left = this.#kept.filter(line => line.sequence > sequence)
    if (left.length === this.#kept.length) return
    this.#kept = left
    this.#isFull = false
    this.#store()
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
  }

  get #file(): string {
    return join(this.#options.run, 'kernel-lines.json')
  }

  #complainOfFlood(): void {
    if (!this.#isFull)
      this.#options.onProblem(`${mostKept} lines of crashes wait to be recorded: further ones are not`)
    this.#isFull = true
  }

  #load(): LogRecord[] {
    try {
      const { boot_id, lines } = JSON.parse(readFileSync(this.#file, 'utf8')) as Kept
      return boot_id === this.#boot && Array.isArray(lines) ? lines : []
    } catch {
      return []
    }
  }

  #store(): void {
    const kept: Kept = { boot_id: this.#boot, lines: this.#kept }
    try {
      writeFileAtomic(this.#file, `${JSON.stringify(kept)}\n`, { mode: 0o600 })
    } catch (error) {
      this.#options.onProblem(`Could not write ${this.#file}: ${reasonOf(error)}`)
    }
  }
}

interface Kept {
  readonly boot_id: string
  readonly lines: LogRecord[]
}

const overrun =
  'Lines of the kernel log were overwritten before they were read; crashes of which only they told are not recorded'
