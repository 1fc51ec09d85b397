/** Crashes that are made so that they never end: a handler waits for memory that the crasher gives, or does not. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { endedOf, meanwhile, noKernel } from '../support/handler-bed.ts'
import { alice, attackBed, compile } from './bed.ts'
import { crashBehind, endlessCrashes } from './endless-crashes.ts'

const unavailable = noKernel || byFuse.unavailable()

describe('a crash that never ends', {
  skip: unavailable,
  timeout: 10 * 60_000,
}, () => {
  for (const [name, source] of endlessCrashes)
    test(`one ${name} keeps nobody else's out, and its handler ends`, async () => {
      using bed = attackBed({ CapturesMax: '1', CapturesWait: '4s' })
      const program = compile(bed, 'victim', source)
      for (const directory of ['fuse', 'files']) mkdirSync(bed.path(directory))
      const handlers = new Set<number>()
      const mounted = await byFuse.mount(bed.path('fuse'), bed.path('files'))
      try {
        const crashes = bed.crash(crashBehind(program))
        await meanwhile(crashes, () => {
          for (const pid of bed.handlers()) handlers.add(pid)
        })
        assert.deepEqual(bed.handlers(), [], 'none is left, not even in the kernel')
        const [dump] = bed.dumps().filter(({ manifest }) => manifest.process.uid === alice)
        assert.notEqual(dump?.manifest.core.raw_size ?? 0, 0)
        // Of the second the kernel reads nothing that hangs, and neither do we.
        const [stored] = bed.dumps().filter(({ manifest }) => manifest.process.exe === program)
        assert.equal(endedOf(handlers).length, stored === undefined ? 1 : 0)
        assert.equal(stored?.manifest.core.state, name.startsWith('whose arguments') ? 'complete' : undefined)
        assert.equal(stored?.manifest.process.cmdline, undefined)
      } finally {
        await mounted.end()
      }
    })
})
