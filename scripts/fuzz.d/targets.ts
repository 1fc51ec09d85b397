/** All that is fuzzed. */

import type { Target } from './target.ts'
import { archiveTargets } from './targets-archive.ts'
import { coreTargets } from './targets-core.ts'
import { symbolTargets } from './targets-symbols.ts'

export const targets: readonly Target[] = [...coreTargets, ...symbolTargets, ...archiveTargets]
