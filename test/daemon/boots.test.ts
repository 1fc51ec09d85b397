/** Which boots of this machine the daemon remembers. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { earlierBoots } from '../../src/daemon/boots.ts'

describe('earlierBoots()', () => {
  const now = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  let state: string
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), 'gocore-boots-'))
  })
  afterEach(() => rmSync(state, { recursive: true }))
  const kept = (): string[] => readFileSync(join(state, 'boots'), 'latin1').trim().split('\n')

  it('notes this boot once, and is not told of it', () => {
    for (let start = 0; start < 3; start++) assert.deepEqual(earlierBoots(state), new Set())
    assert.deepEqual(kept(), [now])
  })

  it('remembers those before it, the newest hundred', () => {
    const before = Array.from({ length: 150 }, (_, n) => `boot-${n}`)
    writeFileSync(join(state, 'boots'), `${before.join('\n')}\n`)
    assert.equal(earlierBoots(state).size, 150)
    assert.deepEqual(kept(), [...before.slice(-99), now])
    assert.deepEqual(earlierBoots(state), new Set(before.slice(-99)))
  })

  it('says so where the boot can not be noted', () => {
    assert.throws(() => earlierBoots(join(state, 'nowhere')), /ENOENT/)
  })
})
