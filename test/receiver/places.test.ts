import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from '../../src/receiver/places.ts'

const [alice, bob, carol] = [1000, 1001, 1002]

test('Places has one left of several, whoever has the others', () => {
  const places = new Places()
  for (let i = 0; i < 3; i++) {
    assert.ok(places.hasFree(alice, 4))
    places.take(alice)
  }
  assert.equal(places.hasFree(alice, 4), false)
  assert.ok(places.hasFree(bob, 4))
  places.take(bob)
  assert.equal(places.hasFree(carol, 4), false)
  places.giveBack(bob)
  assert.equal(places.hasFree(alice, 4), false)
  assert.ok(places.hasFree(carol, 4))
  places.giveBack(alice)
  assert.ok(places.hasFree(alice, 4))
})

test('Places with room for one gives it to anybody', () => {
  const places = new Places()
  assert.ok(places.hasFree(alice, 1))
  places.take(alice)
  assert.equal(places.hasFree(bob, 1), false)
  places.giveBack(alice)
  assert.ok(places.hasFree(bob, 1))
})
