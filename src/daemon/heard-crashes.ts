/**
 * Crashes of this machine whose dumps were listed lately. Who removes such a dump before the kernel log is read makes no lost
 * crash of it.
 */
import type { Manifest } from '../archive/index.ts'

/** Of a manifest, what tells a crash from others of the same process number. */
export interface CrashMoment {
  readonly process: Pick<Manifest['process'], 'pid'>
  readonly host: Pick<Manifest['host'], 'boot_id'>
  readonly monotonic_ns?: number | undefined
  readonly held_ms: number
}

/** No more of a manifest than that: there may be thousands. */
export const momentOf = ({ process, host, monotonic_ns, held_ms }: CrashMoment): CrashMoment => ({
  process: { pid: process.pid },
  host: host.boot_id === undefined ? {} : { boot_id: host.boot_id },
  ...{ monotonic_ns, held_ms },
})

/** Milliseconds; lines of the log are read every few seconds. */
const memory = 10 * 60_000
const most = 10_000

export class HeardCrashes {
  readonly #heard: { crash: CrashMoment; at: number }[] = []

  add(crash: CrashMoment): void {
    const at = performance.now()
    const first = this.#heard[0]
    if (first !== undefined && (this.#heard.length >= most || at - first.at > memory)) this.#heard.shift()
    if (crash.host.boot_id !== undefined) this.#heard.push({ crash: momentOf(crash), at })
  }

  has(isIt: (crash: CrashMoment) => boolean): boolean {
    return this.#heard.some(({ crash }) => isIt(crash))
  }
}
