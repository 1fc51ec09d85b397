import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { isBech32 } from '../../src/base/bech32.ts'

test('isBech32() passes the valid ones of BIP 173, and no other', () => {
  for (const text of ['a12uel5l', 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw', '?1ezyfcl'])
    assert.ok(isBech32(text), text)
  for (const text of ['pzry9x0s0muk', '1pzry9x0s0muk', 'x1b4n0q5v', 'li1dgmt3', 'a12uel5m', ''])
    assert.ok(!isBech32(text), text)
})

test("isBech32() passes age's keys, and none that has a letter changed or two that have changed places", async () => {
  for (const make of [generateX25519Identity, generateHybridIdentity]) {
    const key = await identityToRecipient(await make())
    assert.ok(isBech32(key))
    for (let at = key.lastIndexOf('1') + 1; at < key.length; at += 7) {
      const [one, next = ''] = key.slice(at, at + 2)
      assert.ok(!isBech32(key.slice(0, at) + (one === 'q' ? 'p' : 'q') + key.slice(at + 1)))
      if (one !== next && next !== '') assert.ok(!isBech32(key.slice(0, at) + next + one + key.slice(at + 2)))
    }
  }
})
