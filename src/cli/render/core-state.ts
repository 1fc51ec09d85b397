/** How complete a dump is, in words. */
import type { StoredCore, TruncationReason } from '../../archive/manifest.ts'
import { formatSize } from './units.ts'

const reasons: Record<TruncationReason, string> = {
  killed: 'the kernel stopped writing before the end',
  cap: 'it reached the size limit',
  'no-space': 'the storage was full',
  'storage-error': 'the storage failed',
  'storage-stalled': 'the storage did not answer in time',
  rlimit: 'RLIMIT_CORE of the process did not allow more',
  policy: 'the policy of this host does not allow more',
  'handler-error': 'the handler failed',
  refused: 'the kernel refused',
  imported: 'it was so when it was imported',
}

/** `complete, 212 MB (3.1 MB stored)`, `cut at 61 % of 88 MB: the storage was full`, `none kept: …`. */
export function coreState(core: StoredCore): string {
  const sealed = core.encrypted === undefined ? '' : ', encrypted'
  const mini = core.shrunk === undefined ? '' : ', mini-core'
  const stored = core.stored_size > 0 ? ` (${formatSize(core.stored_size)} stored${sealed}${mini})` : ''
  // The state is the dump's, of the time before it was shrunk.
  const came = core.shrunk ?? core
  switch (core.state) {
    case 'complete':
      return `complete, ${formatSize(came.raw_size)}${stored}`
    case 'truncated': {
      const part = share(came)
      const size =
        part === undefined ? formatSize(came.raw_size) : `${part} % of ${formatSize(came.expected_size!)}`
      return `cut at ${size}${stored}: ${whyNotWhole(core)}`
    }
    case 'none':
      return `none kept: ${whyNotWhole(core)}`
  }
}

/** The reason in the words of whoever kept the dump, else by its code. */
export function whyNotWhole({ detail, reason }: StoredCore): string {
  return detail?.replace(/\.$/, '') ?? (reason ? reasons[reason] : 'the reason is not known')
}

/** Percent of the promised bytes that are there, rounded down. */
export function share(core: { raw_size: number; expected_size?: number }): number | undefined {
  if (!core.expected_size) return undefined
  return Math.min(100, Math.floor((core.raw_size / core.expected_size) * 100))
}
