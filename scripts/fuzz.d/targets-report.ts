/** The whole engine: a report of a damaged core, or of a whole one with a damaged executable. */

import { reasonOf } from '../../src/base/errors.ts'
import { parseReport } from '../../src/daemon/report-file.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { analyse } from '../../src/engine/index.ts'
import type { Report } from '../../src/engine/report/report.ts'
import { printed } from './screen.ts'
import type { Target } from './target.ts'
import { coreSeed, crashWith, ofEachKind, ofEachVersion } from './whole-crashes.ts'

const none = (): undefined => undefined

/** What a person would see of it, and what the daemon reads of it: a report that can't be read back is lost. */
function told(report: Report): void {
  printed({ report })
  try {
    parseReport(JSON.stringify(report), 'its report')
  } catch (error) {
    throw new Error(reasonOf(error))
  }
}

const ofCore: Target = {
  name: 'report-core',
  seeds: () => ofEachKind().map(coreSeed),
  run: (core, seed) => told(analyse(core, { executable: crashWith(seed).executable, find: none })),
}

const ofExecutable: Target = {
  name: 'report-exe',
  seeds: () =>
    ofEachVersion().map(({ executable: source }) => {
      const sections = openElf(source).sections.filter(
        s => s.type !== 8 && s.size > 0 && s.size < source.size,
      )
      return { source, hot: [[0, 1024], ...sections.map(s => [s.offset, s.offset + s.size] as const)] }
    }),
  run: (executable, seed) => told(analyse(crashWith(seed).core, { executable, find: none })),
}

const withoutExecutable: Target = {
  name: 'report-bare',
  seeds: ofCore.seeds,
  run: core => told(analyse(core, { find: none })),
}

export const reportTargets: readonly Target[] = [ofCore, ofExecutable, withoutExecutable]
