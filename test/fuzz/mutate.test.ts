import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutate, randomFrom } from '../../scripts/fuzz.d/mutate.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'

const original = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))
const whole = (n: number): Uint8Array => {
  const source = mutate(bytesSource('original', original), randomFrom(n), [[100, 200]])
  return new Uint8Array(source.read(0, source.size))
}

test('mutate() does the same damage for the same number, and none to the original', () => {
  const before = Buffer.from(original)
  for (let n = 0; n < 500; n++) assert.deepEqual(whole(n), whole(n))
  assert.deepEqual(original, before)
})

test('mutate() reads the same in pieces as whole', () => {
  for (let n = 0; n < 500; n++) {
    const source = mutate(bytesSource('original', original), randomFrom(n), [[100, 200]])
    const pieces: Uint8Array[] = []
    for (let at = 0; at < source.size; at += 7) pieces.push(new Uint8Array(source.read(at, 7)))
    assert.deepEqual(new Uint8Array(Buffer.concat(pieces)), new Uint8Array(source.read(0, source.size)))
  }
})

test('mutate() damages nearly every input, mostly where it is hot', () => {
  let [changed, hot] = [0, 0]
  for (let n = 0; n < 500; n++) {
    const damaged = whole(n)
    const first = damaged.findIndex((byte, i) => byte !== original[i])
    if (first >= 0 || damaged.length < original.length) changed++
    if (first >= 100 && first < 200) hot++
  }
  assert.ok(changed > 450, `${changed} of 500 changed`)
  assert.ok(hot > 300, `${hot} of 500 in the hot range`)
})
