/** Crashes that are recorded without a byte of their cores, because they or the configuration ask for none. */
import type { StoredCore } from '../archive/manifest.ts'
import type { Config } from '../config/index.ts'
import type { Admission } from './admission.ts'

const nothing = { state: 'none', raw_size: 0, stored_size: 0 } as const

/** The policy for processes that asked for no core: the kernel dumps them regardless of RLIMIT_CORE. */
export const refusalByLimit = (
  rlimit: bigint | undefined,
  { rlimitZero }: Pick<Config, 'rlimitZero'>,
): StoredCore | undefined =>
  rlimit === 0n && rlimitZero === 'record'
    ? {
        ...nothing,
        reason: 'rlimit',
        detail: `RLIMIT_CORE of the process is ${rlimit}, and RlimitZero=record keeps such crashes without their cores`,
      }
    : undefined

/** Where the kernel can be told so before it writes. */
export const refusalByQuota = ({ refused, isQuota }: Admission): StoredCore | undefined =>
  isQuota
    ? { ...nothing, reason: 'policy', detail: `The kernel was asked for no core, since ${refused}` }
    : undefined
