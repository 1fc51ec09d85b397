import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { handlerBounds } from '../../src/install/bounds.ts'

const skip = process.getuid?.() !== 0 ? 'only root has something to give up' : false

test('handlerBounds() leaves what storage, /proc and haste take, for good', { skip }, () => {
  const [program, ...args] = handlerBounds()
  const status = execFileSync(program!, [...args, 'cat', '/proc/self/status'], { encoding: 'latin1' })
  const set = (key: string): number[] => {
    const bits = BigInt(`0x${new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)![1]}`)
    return Array.from({ length: 64 }, (_, i) => i).filter(i => (bits >> BigInt(i)) & 1n)
  }
  // A container may have kept some of them from us.
  const wanted = [0, 1, 2, 3, 19, 23, 24, 40]
  assert.deepEqual(
    set('CapBnd').filter(number => !wanted.includes(number)),
    [],
  )
  assert.deepEqual(set('CapPrm'), set('CapBnd'))
  assert.deepEqual(set('CapInh'), [])
  assert.match(status, /^NoNewPrivs:\s*1$/m)
})

test('handlerBounds() has another capability for map_files before Linux 5.9', { skip }, () => {
  assert.match(handlerBounds('5.4.0-200-generic').join(' '), /\+cap_21[ ,].*--no-new-privs/)
  assert.doesNotMatch(handlerBounds('6.1.0').join(' '), /cap_21\b/)
})
