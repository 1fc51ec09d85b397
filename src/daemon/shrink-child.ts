/**
 * Makes a mini-core of one core, or tells what a core says, so that both can be compared. The daemon runs it as it runs an
 * analysis, which is most of what it does: whatever the engine reads for the report is what the mini-core keeps.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeSync } from 'node:fs'
import { setPriority } from 'node:os'
import { FormatError, reasonOf } from '../base/errors.ts'
import {
  addNeeded,
  type Essence,
  type FileProvider,
  layOutMiniCore,
  type MiniCore,
  openCore,
  openDebugger,
  type Process,
  readEssence,
  TouchedMemory,
} from '../engine/index.ts'
import { Lz4Writer } from '../lz4/index.ts'
import { type OpenSource, openCoreFile } from '../source/index.ts'
import { ChildExit } from './analysis-job.ts'
import { openBinary, providerOf } from './job-files.ts'
import type { ShrinkAnswer, ShrinkJob } from './shrink-job.ts'
import { shutIn } from './shut-in.ts'

/** A hundredth, as far as what must be kept allows; of a small core there is no need to be as strict. */
const share = 0.01
const leastBudget = 2 << 20
const blockSize = 64 << 10

try {
  const job = JSON.parse(readFileSync(0, 'utf8')) as ShrinkJob
  setPriority(19)
  // A damaged block is an error here: nothing is thrown away for what can't be read.
  const core = openCoreFile(job.core, { links: false })
  // Nor for what can't be read without a program that is missing or another one: mini-core and core would agree on little.
  const binaries = job.binaries.map(openBinary)
  shutIn(job.become)
  const { essence, mini } = look(job, core, providerOf(binaries))
  const { signature, goroutineCount } = essence.report
  const answer: ShrinkAnswer = {
    ...{ says: wordsOf(essence), signature: signature.key, goroutineCount },
    ...(mini ? { rawSize: mini.size } : {}),
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
  if (mini) await writeMiniCore(core, mini)
} catch (error) {
  writeSync(2, `${reasonOf(error)}\n`)
  process.exitCode = ChildExit.refused
}

function look(
  job: ShrinkJob,
  core: OpenSource,
  files: FileProvider,
): { essence: Essence; mini: MiniCore | undefined } {
  const { monotonicNow, what } = job
  const touched = new TouchedMemory(job.grain)
  const options = {
    ...(monotonicNow === undefined ? {} : { monotonicNow }),
    ...(what === 'shrink' ? { touched } : {}),
  }
  const opened: Process = openCore({ ...core, name: job.name }, files, options)
  const inspect = openDebugger(opened)
  const essence = readEssence(opened, inspect)
  if (what === 'check') return { essence, mini: undefined }
  const budget = Math.max(leastBudget, core.size * share * 0.9)
  const from = process.cpuUsage()
  const mayGoOn = (): boolean => process.cpuUsage(from).user < job.patience * 1000
  addNeeded(opened, inspect, touched, { budget, mayGoOn })
  const mini = layOutMiniCore(opened.image.core, touched.ranges())
  if (mini === undefined)
    throw new FormatError({ file: job.name, section: 'program headers', offset: 0 }, 'it has no notes')
  return { essence, mini }
}

/** Digests of what must be equal; sizes, and what is said of the core's completeness, are not. */
function wordsOf({ report, variables }: Essence): Record<string, string> {
  const { core: _, warnings: __, ...rest } = report
  const parts: Record<string, unknown> = { ...rest, variables }
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      createHash('sha256').update(JSON.stringify(part)).digest('hex'),
    ]),
  )
}

async function writeMiniCore(core: OpenSource, mini: MiniCore): Promise<void> {
  const waiting: Uint8Array[] = []
  const lz4 = new Lz4Writer({ write: bytes => void waiting.push(Buffer.from(bytes)) }, blockSize)
  const block = Buffer.alloc(blockSize)
  let filled = 0
  for (const piece of content(core, mini))
    for (let at = 0; at < piece.length; ) {
      const take = Math.min(blockSize - filled, piece.length - at)
      block.set(piece.subarray(at, at + take), filled)
      filled += take
      at += take
      // The last block, even where it is full, goes with the end.
      if (filled < blockSize || lz4.contentSize + filled === mini.size) continue
      lz4.add(block)
      filled = 0
      await drain()
    }
  lz4.finish(block.subarray(0, filled))
  await drain()

  async function drain(): Promise<void> {
    for (const bytes of waiting.splice(0))
      if (!process.stdout.write(bytes)) await new Promise(resolve => process.stdout.once('drain', resolve))
  }
}

function* content(core: OpenSource, mini: MiniCore): Generator<Uint8Array> {
  yield mini.header
  for (const { offset, length } of mini.pieces)
    for (let at = 0; at < length; at += blockSize) {
      const wanted = Math.min(blockSize, length - at)
      const bytes = core.read(offset + at, wanted)
      if (bytes.length !== wanted)
        throw new FormatError({ file: core.name, section: 'content', offset: offset + at }, 'it ends early')
      yield bytes
    }
}
