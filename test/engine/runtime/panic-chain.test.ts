import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readPanics } from '../../../src/engine/runtime/panic-chain.ts'
import { TypeReader } from '../../../src/engine/value/rtype.ts'
import { FakeMemory } from '../../support/fake-memory.ts'
import { RtypeWriter, typesBase, typesEnd } from '../../support/rtype-writer.ts'

/** runtime._panic of Go 1.27. */
const layout = { arg: 0, link: 16, recovered: 88, repanicked: 89, goexit: 90 }
const heap = 0x30000

interface Link {
  text: string
  recovered?: boolean
  repanicked?: boolean
  goexit?: boolean
}

/** A chain, oldest first, as the runtime links it: newest first. */
function chain(links: readonly Link[]): { fake: FakeMemory; first: number } {
  const fake = new FakeMemory()
  const string = new RtypeWriter(fake).type('string', 'string', 16)
  fake.put(heap, new Uint8Array(0x4000))
  links.forEach((link, i) => {
    const at = heap + i * 0x200
    const text = new TextEncoder().encode(link.text)
    fake.words(at, string, at + 0xa0, i === 0 ? 0 : at - 0x200)
    fake.words(at + 0xa0, at + 0xb0, text.length).put(at + 0xb0, text)
    fake.put(
      at + layout.recovered,
      Uint8Array.of(Number(link.recovered), Number(link.repanicked), Number(link.goexit)),
    )
  })
  return { fake, first: links.length === 0 ? 0 : heap + (links.length - 1) * 0x200 }
}

function linesOf(links: readonly Link[], goMinor = 27): (string | undefined)[] {
  const { fake, first } = chain(
    links.map(link => ({ recovered: false, repanicked: false, goexit: false, ...link })),
  )
  const types = new TypeReader(fake.memory(), [{ types: typesBase, etypes: typesEnd }], { goMinor })
  return readPanics(types, first, layout, goMinor).panics.map(({ line }) => line)
}

test('readPanics prints chains as runtime.printpanics does', () => {
  assert.deepEqual(linesOf([]), [])
  assert.deepEqual(linesOf([{ text: 'one' }]), ['panic: one'])
  assert.deepEqual(linesOf([{ text: 'one' }, { text: 'two' }]), ['panic: one', '\tpanic: two'])
  assert.deepEqual(linesOf([{ text: 'one', recovered: true }, { text: 'two' }]), [
    'panic: one [recovered]',
    '\tpanic: two',
  ])
})

test('readPanics passes over a panic with the value of the one that was repanicked', () => {
  const links = [{ text: 'one', recovered: true, repanicked: true }, { text: 'one' }]
  assert.deepEqual(linesOf(links), ['panic: one [recovered, repanicked]', undefined])
  assert.deepEqual(linesOf([...links, { text: 'two' }]), [
    'panic: one [recovered, repanicked]',
    undefined,
    '\tpanic: two',
  ])
})

test('readPanics asks for recovered before it says repanicked since Go 1.26', () => {
  assert.deepEqual(linesOf([{ text: 'one', repanicked: true }], 26), ['panic: one'])
  assert.deepEqual(linesOf([{ text: 'one', repanicked: true }], 25), ['panic: one [recovered, repanicked]'])
})

test('readPanics prints nothing for Goexit', () => {
  assert.deepEqual(linesOf([{ text: '', goexit: true }, { text: 'one' }]), [undefined, 'panic: one'])
  assert.deepEqual(linesOf([{ text: 'one' }, { text: '', goexit: true }, { text: 'two' }]), [
    'panic: one',
    undefined,
    '\tpanic: two',
  ])
})

test('readPanics indents the lines of a text since Go 1.23', () => {
  assert.deepEqual(linesOf([{ text: 'one\ntwo' }], 23), ['panic: one\n\ttwo'])
  assert.deepEqual(linesOf([{ text: 'one\ntwo' }], 22), ['panic: one\ntwo'])
})

test('readPanics ends for any bytes', () => {
  const flip = fc.tuple(fc.integer({ min: 0, max: 0x5ff }), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 30 }), flips => {
      const { fake, first } = chain([{ text: 'one' }, { text: 'two' }, { text: 'three' }])
      for (const [at, byte] of flips) fake.put(heap + at, Uint8Array.of(byte))
      const types = new TypeReader(fake.memory(), [{ types: typesBase, etypes: typesEnd }], { goMinor: 27 })
      assert.ok(readPanics(types, first, layout, 27).panics.length <= 128)
    }),
    { numRuns: 300 },
  )
})

test('readPanics leaves a list that runs in a circle', () => {
  const { fake, first } = chain([{ text: 'one' }, { text: 'two' }])
  fake.words(heap + layout.link, first)
  const types = new TypeReader(fake.memory(), [{ types: typesBase, etypes: typesEnd }], { goMinor: 27 })
  const { panics, cut } = readPanics(types, first, layout, 27)
  assert.equal(panics.length, 2)
  assert.equal(cut, true)
})
