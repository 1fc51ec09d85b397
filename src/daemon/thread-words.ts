/**
 * What the daemon's two threads say to each other. One works (`work.ts`) and waits where storage makes it wait; the other
 * watches it (`supervisor.ts`), never touches what may not answer, and is there for signals, systemd and monitoring.
 */
import type { ErrorCode } from '../base/errors.ts'
import type { Config, LogLevel } from '../config/index.ts'
import type { ConfigSource } from './config-source.ts'
import type { LogRecord } from './kernel-log.ts'

/** With what the thread that works is started. */
export interface WorkStart extends ConfigSource {
  readonly config: Config
  /** The analysing child's program, for tests. */
  readonly program?: string | undefined
  /** One counter, which goes up as long as the thread gets to its events. */
  readonly beats: Int32Array
  readonly beatMs: number
}

export type Order =
  /** Somebody says that there is a dump of this id. */
  | { readonly kind: 'nudge'; readonly id: string }
  /** All lines of the kernel log that are not dealt with; answered by `kernel-log`. */
  | { readonly kind: 'kernel-log'; readonly lines: readonly LogRecord[] }
  | { readonly kind: 'reload' }
  /** The archive is there again, mounted anew. */
  | { readonly kind: 'remounted' }
  | { readonly kind: 'stop'; readonly graceMs: number }
  /** Hands back at once what is in hand. */
  | { readonly kind: 'abort' }

export type WorkReport =
  /** Its number in the kernel. */
  | { readonly kind: 'thread'; readonly number: number }
  /** This is the only daemon here. */
  | { readonly kind: 'locked' }
  /** From here on work may be in hand. Tells where links lead to. */
  | { readonly kind: 'begun'; readonly archive: string; readonly state: string }
  | { readonly kind: 'ready' }
  /** What it does, for `systemctl status`. */
  | { readonly kind: 'status'; readonly text: string }
  /** What it has counted, as `metrics.prom` has it. */
  | { readonly kind: 'counts'; readonly text: string }
  /** Lines up to this one are dealt with. */
  | { readonly kind: 'kernel-log'; readonly sequence: number }
  | { readonly kind: 'log-level'; readonly level: LogLevel }

/** The last one, of work that can't go on; the message is a sentence. */
export type Failure = {
  readonly kind: 'failed'
  readonly code: ErrorCode | undefined
  readonly message: string
}
