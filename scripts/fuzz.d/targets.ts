/** All that is fuzzed. */
import type { Target } from './target.ts'
import { archiveTargets } from './targets-archive.ts'
import { coreTargets } from './targets-core.ts'
import { crashTargets } from './targets-crashes.ts'
import { dwarfTargets } from './targets-dwarf.ts'
import { handlerTargets } from './targets-handler.ts'
import { peopleTargets } from './targets-people.ts'
import { reportTargets } from './targets-report.ts'
import { symbolTargets } from './targets-symbols.ts'

export const targets: readonly Target[] = [
  ...coreTargets,
  ...symbolTargets,
  ...dwarfTargets,
  ...reportTargets,
  ...crashTargets,
  ...archiveTargets,
  ...handlerTargets,
  ...peopleTargets,
]
