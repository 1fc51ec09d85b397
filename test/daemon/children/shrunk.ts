/** Stands in for the shrinking child: says what it was told to say, and calls a few bytes a mini-core. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ShrinkAnswer, ShrinkJob } from '../../../src/daemon/shrink-job.ts'
import type { Report } from '../../../src/engine/report/report.ts'

const job = JSON.parse(readFileSync(0, 'utf8')) as ShrinkJob
const mini = Buffer.alloc(20_000, 'mini')
const isLiar = job.name.includes('aaaaaaaaaaaa')
const says = { death: job.what === 'check' && isLiar ? 'something else' : 'the same' }
const { signature, goroutineCount } = JSON.parse(
  readFileSync(join(dirname(job.core), 'report.json'), 'utf8'),
) as Report
const isOther = job.name.includes('bbbbbbbbbbbb')
const found = { signature: signature.key, goroutineCount: goroutineCount + (isOther ? 1 : 0) }
const answer: ShrinkAnswer = { says, ...found, ...(job.what === 'shrink' ? { rawSize: mini.length } : {}) }
process.stdout.write(`${JSON.stringify(answer)}\n`)
if (job.what === 'shrink') process.stdout.write(mini)
