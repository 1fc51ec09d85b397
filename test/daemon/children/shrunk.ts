/** Stands in for the shrinking child: says what it was told to say, and calls a few bytes a mini-core. */
import { readFileSync } from 'node:fs'
import type { ShrinkAnswer, ShrinkJob } from '../../../src/daemon/shrink-job.ts'

const job = JSON.parse(readFileSync(0, 'utf8')) as ShrinkJob
const mini = Buffer.alloc(20_000, 'mini')
const isLiar = job.name.includes('aaaaaaaaaaaa')
const says = { death: job.what === 'check' && isLiar ? 'something else' : 'the same' }
const answer: ShrinkAnswer = { says, ...(job.what === 'shrink' ? { rawSize: mini.length } : {}) }
process.stdout.write(`${JSON.stringify(answer)}\n`)
if (job.what === 'shrink') process.stdout.write(mini)
