/** A handler's storage in a process of its own: the threads of it give up rights for all of the process. */
import { createHash, randomBytes } from 'node:crypto'
import { fstatSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coreFile, layoutOf } from '../../src/archive/layout.ts'
import { type Config, defaultConfig } from '../../src/config/index.ts'
import { DumpStorage } from '../../src/handler/storage.ts'

/** A slot holds one block and no more than twice that; the index of a core of 300 GB has 16 bytes for each MiB. */
const [block, index] = [1 << 20, 4_915_200]

const [order = '', text = '{}'] = process.argv.slice(2)
const config: Config & { hang?: string } = { ...defaultConfig(), group: '', ...JSON.parse(text) }
const facts = { pid: 1, uid: 0, gid: 0, comm: 'x' }
const storage = new DumpStorage({
  config,
  time: new Date(),
  crash: { process: facts, dumpable: 1 },
  script: join(import.meta.dirname, '../../src/handler/main.ts'),
  pending: ({ id }) => ({ id, process: facts }) as never,
})
const orders: Record<string, () => unknown> = {
  room: () => room(config.hang!),
  files: () => files(config.hang!),
}
process.stdout.write(`${JSON.stringify((orders[order] ?? (() => write(Number(order))))())}\n`)
storage.close()
if (storage.hasStalled) process.kill(process.pid, 'SIGKILL')

/** Writes so many blocks, something long, and another block. */
function write(blocks: number): unknown {
  const pieces = [
    ...Array.from({ length: blocks }, () => randomBytes(block)),
    randomBytes(index),
    randomBytes(block),
  ]
  const hash = createHash('sha256')
  for (const piece of pieces) {
    hash.update(piece)
    storage.write(piece)
  }
  const size = storage.finishCore()
  return { path: layoutOf(config.archive).file(storage.ref, coreFile), size, sha256: hash.digest('hex') }
}

/** Stores this program, once as one of this machine and once as one of elsewhere, in an archive that hangs by now. */
function files(control: string): unknown {
  const fd = openSync(process.execPath, 'r')
  const file = { fd, size: fstatSync(fd).size, path: process.execPath }
  storage.write(randomBytes(block))
  storage.finishCore()
  storage.release()
  writeFileSync(control, 'deaf')
  const stored = storage.storeFiles({
    executable: { ...file, isLocal: true },
    libraries: [{ ...file, isLocal: false }],
  })
  rmSync(control)
  return { stored, size: file.size, isInSpool: storage.isInSpool, failures: storage.failures }
}

/** Asks for room while the state directory hangs: as much as the archive has, and more. */
function room(control: string): unknown {
  const archive = storage.room(1)
  writeFileSync(control, 'deaf')
  const asked = (wanted: number) => {
    const begun = performance.now()
    return { room: storage.room(wanted), ms: performance.now() - begun, stalled: storage.hasStalled }
  }
  const answers = [asked(archive), asked(2 * archive)]
  rmSync(control)
  return { archive, answers }
}
