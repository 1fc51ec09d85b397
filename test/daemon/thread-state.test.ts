import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { threadState } from '../../src/daemon/thread-state.ts'
import { child } from './running.ts'

describe('threadState()', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-thread-'))
  after(() => rmSync(directory, { recursive: true }))
  for (const [how, sleepsOver, runs] of [
    ['open', true, false],
    ['read', true, false],
    ['wait', false, false],
    ['spin', false, true],
  ] as const)
    it(`of a thread that is told to ${how}`, async () => {
      const path = join(directory, how)
      execFileSync('mkfifo', [path])
      const worker = new Worker(child('sleeper'), { workerData: { path, how } })
      const ended = once(worker, 'exit')
      const [thread] = (await once(worker, 'message')) as [number]
      await sleep(300)
      const before = threadState(thread)!
      await sleep(300)
      const state = threadState(thread)!
      assert.equal(state.sleepsOver, sleepsOver ? path : undefined)
      assert.equal(state.isDeepAsleep, false)
      if (!runs) assert.equal(state.switches, before.switches)
      if (sleepsOver) {
        const fd = openSync(path, 'r+')
        writeSync(fd, 'x')
        await ended
        closeSync(fd)
      } else await ended
      assert.equal(threadState(thread), undefined)
    })
})
