import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyEdits, type Damage, formatDamage, parseDamage } from '../../scripts/fuzz.d/damage.ts'
import { mutate, type Tools } from '../../scripts/fuzz.d/mutate.ts'
import { randomFrom } from '../../scripts/fuzz.d/random.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'

const original = new Uint8Array(Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251)))
const source = bytesSource('original', original)
const tools = (n: number): Tools => ({
  ...{ source, random: randomFrom(n), hot: [[100, 200]], seen: [[120, 140]], words: [], others: [] },
})
const none: Damage = { seed: 'original', edits: [] }
/** Damage made of damage, as the search makes it. */
const damageOf = (n: number): Damage => mutate(mutate(none, tools(n)), tools(n + 1))

/** The edits done one by one, from the last to the first, so that places hold. */
function edited({ edits }: Damage): Uint8Array {
  const bytes = [...original]
  for (const { at, remove, insert } of edits.toReversed()) bytes.splice(at, remove, ...insert)
  return Uint8Array.from(bytes)
}

const whole = (damage: Damage): Uint8Array => {
  const { read, size } = applyEdits(source, damage.edits)
  return new Uint8Array(read(0, size))
}

test('mutate() does the same damage for the same numbers, and none to the original', () => {
  const before = new Uint8Array(original)
  for (let n = 0; n < 500; n++) assert.deepEqual(whole(damageOf(n)), whole(damageOf(n)))
  assert.deepEqual(original, before)
})

test('applyEdits() gives the seed with its edits, in pieces as whole', () => {
  for (let n = 0; n < 500; n++) {
    const damage = damageOf(n)
    const expected = edited(damage)
    const damaged = applyEdits(source, damage.edits)
    assert.equal(damaged.size, expected.length)
    assert.deepEqual(whole(damage), expected)
    const pieces: Uint8Array[] = []
    for (let at = 0; at < damaged.size; at += 7) pieces.push(new Uint8Array(damaged.read(at, 7)))
    assert.deepEqual(new Uint8Array(Buffer.concat(pieces)), expected)
    assert.equal(damaged.read(damaged.size, 1).length, 0)
    assert.equal(damaged.read(-1, 1).length, 0)
  }
})

test('edits are in order and do not overlap, whatever was changed', () => {
  for (let n = 0; n < 500; n++) {
    let end = -1
    for (const { at, remove } of damageOf(n).edits) {
      assert.ok(at > end || (at === end && end > 0), `an edit at ${at} behind one up to ${end}`)
      end = Math.max(at, at + remove)
    }
  }
})

test('damage is a line of text and comes back from it', () => {
  for (let n = 0; n < 500; n++) {
    const damage = damageOf(n)
    assert.ok(!formatDamage(damage).includes('\n'))
    assert.deepEqual(parseDamage(formatDamage(damage)), damage)
  }
})

test('mutate() damages nearly every input, mostly where it is hot', () => {
  let [changed, hot] = [0, 0]
  for (let n = 0; n < 500; n++) {
    const damage = mutate(none, tools(n))
    const bytes = whole(damage)
    if (bytes.length !== original.length || bytes.some((byte, i) => byte !== original[i])) changed++
    if (damage.edits.some(({ at }) => at >= 100 && at < 200)) hot++
  }
  assert.ok(changed > 450, `${changed} of 500 changed`)
  assert.ok(hot > 350, `${hot} of 500 in the hot range`)
})
