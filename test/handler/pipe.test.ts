import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { test } from 'node:test'
import { PipeReader } from '../../src/handler/pipe.ts'

test('PipeReader holds who has written all at once until somebody reads on', () => {
  let ends = 0
  const pipe = new PipeReader(openSync('/dev/null', 'r'), () => void ends++)
  pipe.begin(Buffer.from('a core of one piece'))
  pipe.pump()
  const buffer = Buffer.alloc(64)
  assert.equal(pipe.read(buffer, 0), 19)
  assert.deepEqual([ends, pipe.isReleased], [0, false])
  assert.equal(pipe.read(buffer, 19), 0)
  assert.deepEqual([ends, pipe.isReleased], [1, true])
})
