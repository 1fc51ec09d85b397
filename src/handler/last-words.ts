/**
 * What the handler says when it fails itself. It must not dump core in turn – the kernel starts it with RLIMIT_CORE 1,
 * which refuses that – and must not be silent: the line names the crash that was in its hands.
 */
import { KernelLog } from './log.ts'

let inHand = 'a crash'

/** What the line will name. */
export function takeInHand(description: string): void {
  inHand = description
}

export function lastWords(error: unknown): number {
  const reason = error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error)
  new KernelLog().write('error', `failed while it recorded ${inHand}; the dump may be lost: ${reason}`)
  process.exitCode = 1
  return 1
}
