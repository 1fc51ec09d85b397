/**
 * Encrypts one core to standard output. The daemon runs it as it runs an analysis: it opens the core, gives up its rights, and
 * then reads what somebody made of it, by a library that is not ours.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { encrypt } from '../source/index.ts'
import { ChildExit } from './analysis-job.ts'
import type { EncryptionJob } from './encryption-job.ts'
import { shutIn } from './shut-in.ts'

try {
  const { core, recipients, become } = JSON.parse(readFileSync(0, 'utf8')) as EncryptionJob
  const fd = openSync(core, constants.O_RDONLY | constants.O_NOFOLLOW)
  const pieces = await encrypt(recipients, fd)
  shutIn(become)
  for await (const piece of pieces)
    if (!process.stdout.write(piece)) await new Promise(resolve => process.stdout.once('drain', resolve))
  closeSync(fd)
} catch (error) {
  writeSync(2, `${reasonOf(error)}\n`)
  process.exitCode = ChildExit.refused
}
