/** All faults, in the order of the table. */
import { archiveReplaced } from './archive-replaced.ts'
import { clockSteps } from './clock.ts'
import { daemonKilled, twoDaemons } from './daemon-killed.ts'
import type { Fault } from './fault.ts'
import { frozenStorage } from './frozen.ts'
import { fullDisks } from './full.ts'
import { handlerKilled } from './handler-killed.ts'
import { crasherKilled, eachSecond, largeProcesses, storm } from './kernel.ts'
import { powerCuts, shippingCuts } from './power-cut.ts'
import { everythingFails, storageFaults } from './storage.ts'

export const campaign: readonly Fault[] = [
  handlerKilled,
  ...storageFaults,
  everythingFails,
  ...fullDisks,
  ...frozenStorage,
  archiveReplaced,
  crasherKilled,
  storm,
  eachSecond,
  powerCuts,
  shippingCuts,
  daemonKilled,
  twoDaemons,
  clockSteps,
  ...largeProcesses,
]
