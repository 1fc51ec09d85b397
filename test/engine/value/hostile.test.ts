/** Memory that lies: whatever stands in it, values load in bounded time and give text, JSON and marks, never an exception. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SinkError } from '../../../src/base/errors.ts'
import { RuntimeLayout } from '../../../src/engine/runtime/layouts/layout.ts'
import { memoryPlace } from '../../../src/engine/type/place.ts'
import type { Variable } from '../../../src/engine/type/variable.ts'
import { descriptorContext } from '../../../src/engine/value/descriptor-context.ts'
import { indexOf, lengthOf, windowOf } from '../../../src/engine/value/element.ts'
import { fieldOf } from '../../../src/engine/value/field.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { toJson } from '../../../src/engine/value/json.ts'
import { loadValue } from '../../../src/engine/value/load.ts'
import { TypeReader } from '../../../src/engine/value/rtype.ts'
import { fullLimits, type Value } from '../../../src/engine/value/value.ts'
import { FakeMemory } from '../../support/fake-memory.ts'
import { RtypeWriter, typesBase, typesEnd } from '../../support/rtype-writer.ts'

const data = 0x30000
const size = 0x800

/** A type of each kind that leads elsewhere, and all of them in one struct. */
function program(words: readonly bigint[]) {
  const fake = new FakeMemory()
  const types = new RtypeWriter(fake)
  const int = types.type('int', 'int', 8)
  const string = types.type('string', 'string', 16)
  const any = types.type('interface {}', 'interface', 16, { named: false, extra: [0, 0, 0, 0] })
  const strings = types.type('[]string', 'slice', 24, { named: false, extra: [string] })
  const anys = types.type('[]interface {}', 'slice', 24, { named: false, extra: [any] })
  const huge = types.type('[1048576]int', 'array', 8 << 20, { named: false, extra: [int, strings, 1 << 20] })
  const large = types.type('[17]int', 'array', 136, { named: false, extra: [int, strings, 17] })
  const map = types.type('map[string]interface {}', 'map', 8, {
    named: false,
    extra: [string, any, int, 0, 0, 0, 0, 0, 0, 0],
  })
  const indirect = types.type('map[[17]int][17]int', 'map', 8, {
    named: false,
    extra: [large, large, int, 0, 0, 0, 0, 0, 0, 0],
  })
  const channel = types.type('chan []string', 'chan', 8, { named: false, extra: [strings, 3] })
  const func = types.type('func()', 'func', 8, { named: false, extra: [0] })
  const self = types.pointer('*main.all', 0)
  const hugePointer = types.pointer('*[1048576]int', huge)
  const time = types.struct('time.Time', 24, [
    ['wall', int, 0],
    ['ext', int, 8],
    ['loc', self, 16],
  ])
  const all = types.struct('main.all', 184, [
    ['self', self, 0],
    ['text', string, 8],
    ['any', any, 24],
    ['strings', strings, 40],
    ['anys', anys, 64],
    ['map', map, 88],
    ['indirect', indirect, 96],
    ['channel', channel, 104],
    ['func', func, 112],
    ['huge', hugePointer, 120],
    ['time', time, 128],
    ['other', any, 152],
    ['more', any, 168],
  ])
  fake.words(self + 48, all)
  fake.words(data, ...words)
  const reader = new TypeReader(fake.memory(), [{ types: typesBase, etypes: typesEnd }], { goMinor: 26 })
  return { reader, all, descriptors: [all, self, map, channel, any, strings] }
}

/** Words that look like what a program has: addresses of each other, types, small counts, and nonsense. */
const word = (descriptors: readonly number[]): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: size / 8 }).map(i => BigInt(data + 8 * i)) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 40 }).map(BigInt) },
    { weight: 2, arbitrary: fc.constantFrom(...descriptors).map(BigInt) },
    { weight: 1, arbitrary: fc.constantFrom(0n, 2n ** 31n, 2n ** 40n, 2n ** 52n, 2n ** 63n, 2n ** 64n - 1n) },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  )

for (const goMinor of [19, 23, 24, 26, 27])
  test(`loadValue bears any memory, Go 1.${goMinor}`, () => {
    const { descriptors } = program([])
    const layout = new RuntimeLayout(goMinor)
    fc.assert(
      fc.property(fc.array(word(descriptors), { minLength: size / 8, maxLength: size / 8 }), words => {
        const { reader, all } = program(words)
        const context = descriptorContext(reader, {
          goMinor,
          layout: field => layout.find(field),
          functionAt: pc => (pc % 3 === 0 ? 'main.f' : undefined),
        })
        const variable: Variable = {
          name: 'x',
          type: context.typeAt(all)!,
          place: memoryPlace(reader.memory, data),
          flags: {},
        }
        const started = performance.now()
        const value = loadValue(context, variable, { ...fullLimits, depth: 8, values: 20_000, slots: 10_000 })
        for (const raw of [true, false]) {
          assert.ok(formatValue(value, { raw }).length > 0)
          assert.ok(formatValue(value, { raw, lines: true }).length > 0)
        }
        assert.ok(JSON.stringify(toJson(value)).length > 0)
        assert.ok(count(value) <= 60_000)
        for (const name of ['self', 'text', 'any', 'strings', 'map', 'channel', 'huge', 'func', 'none'])
          guarded(() => {
            const field = fieldOf(context, variable, name)
            if (!field) return
            guarded(() => lengthOf(context, field))
            guarded(() => indexOf(context, field, 3n, 10_000))
            guarded(() => loadValue(context, windowOf(context, field, 1n, 5n)))
            guarded(() => fieldOf(context, field, 'text'))
          })
        // Many times what it takes: a machine may be busy, but nothing may run away.
        assert.ok(performance.now() - started < 20_000)
      }),
      { numRuns: 60, endOnFailure: true },
    )
  })

function guarded(look: () => unknown): void {
  try {
    look()
  } catch (error) {
    if (!(error instanceof SinkError)) throw error
  }
}

/** Values within a value. */
function count(value: Value): number {
  return JSON.stringify(toJson(value)).split('"kind":').length
}
