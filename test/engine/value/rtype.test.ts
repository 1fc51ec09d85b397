import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryPlace } from '../../../src/engine/type/place.ts'
import { descriptorContext, dynamicVariable } from '../../../src/engine/value/descriptor-context.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { loadValue } from '../../../src/engine/value/load.ts'
import { TypeReader } from '../../../src/engine/value/rtype.ts'
import { fullLimits, type Value, type ValueLimits } from '../../../src/engine/value/value.ts'
import { FakeMemory } from '../../support/fake-memory.ts'
import { RtypeWriter, typesBase, typesEnd } from '../../support/rtype-writer.ts'

const data = 0x30000

/** `type point struct{ x, y int }; type line struct{ name string; ends []point; next *line; tag any }` */
function program() {
  const fake = new FakeMemory()
  const types = new RtypeWriter(fake)
  const int = types.type('int', 'int', 8)
  const string = types.type('string', 'string', 16)
  const any = types.type('interface {}', 'interface', 16, { named: false, extra: [0, 0, 0, 0] })
  const point = types.struct('main.point', 16, [
    ['x', int, 0],
    ['y', int, 8],
  ])
  const points = types.type('[]main.point', 'slice', 24, { named: false, extra: [point] })
  const self = types.pointer('*main.line', 0)
  const line = types.struct(
    'main.line',
    64,
    [
      ['name', string, 0],
      ['ends', points, 16],
      ['next', self, 40],
      ['tag', any, 48],
    ],
    ['Error', 'Length'],
  )
  fake.words(self + 48, line)
  fake.put(data, new Uint8Array(0x1000))
  fake.text(data + 0x100, 'diagonal')
  fake.words(data, data + 0x100, 8, data + 0x200, 2, 2, 0, int, data + 0x300)
  fake.words(data + 0x200, 1, -2, 3, 4)
  fake.words(data + 0x300, 99)
  return { fake, int, string, point, line, self }
}

function readerOf(fake: FakeMemory): TypeReader {
  return new TypeReader(fake.memory(), [{ types: typesBase, etypes: typesEnd }], { goMinor: 26 })
}

/** The value of the type with this descriptor at `addr`. */
function valueAt(
  types: TypeReader,
  descriptor: number,
  addr: number,
  limits: ValueLimits = fullLimits,
): Value {
  const context = descriptorContext(types, { goMinor: 26 })
  const type = context.typeAt(descriptor)!
  return loadValue(context, { name: '', type, place: memoryPlace(types.memory, addr), flags: {} }, limits)
}

test('TypeReader.at reads name, kind, size and fields', () => {
  const { fake, line } = program()
  const types = readerOf(fake)
  const type = types.at(line)!
  assert.equal(type.name, 'main.line')
  assert.equal(type.kind, 'struct')
  assert.equal(type.size, 64)
  assert.equal(type.named, true)
  assert.deepEqual(
    types.fields(type).map(({ name, offset }) => [name, offset]),
    [
      ['name', 0],
      ['ends', 16],
      ['next', 40],
      ['tag', 48],
    ],
  )
  assert.deepEqual(types.methods(type), ['Error', 'Length'])
})

test('TypeReader.at tells pointer-shaped types by the kind byte and by tflag', () => {
  const { fake, self } = program()
  assert.equal(readerOf(fake).at(self)!.pointerShaped, true)
  fake.put(self + 20, Uint8Array.of(0))
  assert.equal(readerOf(fake).at(self)!.pointerShaped, false)
  fake.put(self + 23, Uint8Array.of(22 | 32))
  assert.equal(readerOf(fake).at(self)!.pointerShaped, true)
})

test('TypeReader.at gives nothing for what is no descriptor', () => {
  const { fake } = program()
  const types = readerOf(fake)
  for (const addr of [0, 1, data, typesBase, typesEnd, 0x7fff_0000_0000, Number.POSITIVE_INFINITY])
    assert.equal(types.at(addr), undefined)
})

test('formatValue writes a value as dlv does', () => {
  const { fake, line } = program()
  assert.equal(
    formatValue(valueAt(readerOf(fake), line, data)),
    'main.line {name: "diagonal", ends: []main.point len: 2, cap: 2, [(*main.point)(0x30200),(*main.point)(0x30210)], next: *main.line nil, tag: interface {}(int) 99}',
  )
})

test('formatValue puts long values on several lines', () => {
  const { fake, line } = program()
  assert.equal(
    formatValue(valueAt(readerOf(fake), line, data, { ...fullLimits, depth: 3 }), { lines: true }),
    `main.line {
\tname: "diagonal",
\tends: []main.point len: 2, cap: 2, [
\t\t{x: 1, y: -2},
\t\t{x: 3, y: 4},
\t],
\tnext: *main.line nil,
\ttag: interface {}(int) 99,}`,
  )
})

test('loadValue stops at its depth in a list that runs in a circle', () => {
  const { fake, line } = program()
  fake.words(data + 40, data)
  const text = formatValue(valueAt(readerOf(fake), line, data))
  assert.match(text, /next: \*main\.line \{.*next: \*\(\*main\.line\)\(0x30000\)/)
})

test('loadValue marks what cannot be read and goes on', () => {
  const { fake, line } = program()
  fake.words(data, 0x666_0000)
  const text = formatValue(valueAt(readerOf(fake), line, data))
  assert.match(text, /name: \(unreadable 0x6660000: not in the core\), ends: \[\]main\.point len: 2/)
})

test('dynamicVariable takes the data word of pointer-shaped types for the value', () => {
  const { fake, self, int } = program()
  fake.words(data + 0x400, data)
  const types = readerOf(fake)
  const context = descriptorContext(types, { goMinor: 26 })
  const at = { word: data, addr: data + 0x400 }
  const pointer = loadValue(context, dynamicVariable(context, types.at(self)!, at))
  assert.equal(pointer.kind === 'pointer' && pointer.pointer, BigInt(data))
  const number = loadValue(context, dynamicVariable(context, types.at(int)!, { ...at, word: data + 0x300 }))
  assert.equal(number.kind === 'int' && number.value, 99n)
})

test('any bytes flipped give a value or a mark, in bounded time', () => {
  const flips = fc.array(fc.tuple(fc.integer({ min: 0, max: 0x400 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 12,
  })
  fc.assert(
    fc.property(flips, flips, (inTypes, inData) => {
      const { fake, line } = program()
      for (const [at, byte] of inTypes) fake.put(typesBase + 16 + at, Uint8Array.of(byte))
      for (const [at, byte] of inData) fake.put(data + at, Uint8Array.of(byte))
      const types = readerOf(fake)
      const started = performance.now()
      const type = types.at(line)
      if (type) {
        assert.ok(formatValue(valueAt(types, line, data)).length < 1e6)
        types.methods(type)
        types.pkgPath(type)
      }
      assert.ok(performance.now() - started < 1000)
    }),
    { numRuns: 300 },
  )
})
