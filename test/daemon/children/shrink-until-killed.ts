/** Shrinks a dump and dies of SIGKILL before the nth call that changes a file; prints `done` where it comes to the end. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { DumpRef } from '../../../src/archive/index.ts'
import { openLocalStore } from '../../../src/archive/index.ts'
import { defaultConfig } from '../../../src/config/index.ts'
import { shrinkDump } from '../../../src/daemon/shrink.ts'

const [root, id, day, nth, program] = process.argv.slice(2)
let left = Number(nth)
const calls = ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync', 'unlinkSync'] as const
const anyFs = fs as unknown as Record<string, (...args: unknown[]) => unknown>
for (const name of calls) {
  const original = anyFs[name]!
  anyFs[name] = (...args) => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL')
    return original(...args)
  }
}
syncBuiltinESMExports()
const { analysis } = defaultConfig()
const options = { analysis, reason: 'a test', program: program! }
const outcome = await shrinkDump(openLocalStore(root!), { id, day } as DumpRef, options)
process.stdout.write(`done ${outcome.state}`)
