/**
 * Stands in for the shrinking child: says what it was told to say, and calls a few bytes a mini-core. For the analysing child
 * it stands in as well.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AnalysisJob } from '../../../src/daemon/analysis-job.ts'
import type { ShrinkAnswer, ShrinkJob } from '../../../src/daemon/shrink-job.ts'
import type { Report } from '../../../src/engine/report/report.ts'

const { what, name, core } = JSON.parse(readFileSync(0, 'utf8')) as Partial<ShrinkJob> & AnalysisJob
const mini = Buffer.alloc(20_000, 'mini')
const isLiar = name.includes('aaaaaaaaaaaa')
const says = { death: what === 'check' && isLiar ? 'something else' : 'the same' }
const report = JSON.parse(readFileSync(join(dirname(core), 'report.json'), 'utf8')) as Report
/** One finds another goroutine each time but for the analysis, one is a newer program, which finds 7. */
const isOther = name.includes('bbbbbbbbbbbb') && what !== undefined
const isNewer = name.includes('dddddddddddd')
const goroutineCount = isNewer ? 7 : report.goroutineCount + (isOther ? 1 : 0)
const answer: ShrinkAnswer = {
  ...{ says, signature: report.signature.key, goroutineCount },
  ...(what === 'shrink' ? { rawSize: mini.length } : {}),
}
process.stdout.write(`${JSON.stringify(what === undefined ? { ...report, goroutineCount } : answer)}\n`)
if (what === 'shrink') process.stdout.write(mini)
