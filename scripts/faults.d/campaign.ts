/** All faults, in the order of the table. */
import { archiveReplaced } from './archive-replaced.ts'
import { daemonKilled, twoDaemons } from './daemon-killed.ts'
import type { Fault } from './fault.ts'
import { handlerKilled } from './handler-killed.ts'
import { everythingFails, storageFaults } from './storage.ts'

export const campaign: readonly Fault[] = [
  handlerKilled,
  ...storageFaults,
  everythingFails,
  archiveReplaced,
  daemonKilled,
  twoDaemons,
]
