import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { fileSource } from '../../../scripts/fidelity.d/file-source.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { readIndex } from '../../../src/engine/dwarf/name-index.ts'
import { openDebugInfo } from '../../../src/engine/dwarf/open-debug-info.ts'
import { hashName, hashText, matches, shortName } from '../../../src/engine/dwarf/short-name.ts'
import { openElf } from '../../../src/engine/elf/file.ts'
import { debugPrograms, lookThrough } from '../../support/debug-programs.ts'

const programs = debugPrograms()
after(() => programs[Symbol.dispose]())

test('shortName() leaves what is behind the last slash of the package path', () => {
  const rows: readonly [string, string][] = [
    ['main.T', 'main.T'],
    ['net/http.(*Client).Do', 'http.(*Client).Do'],
    ['*k8s.io/api/core/v1.Pod', '*v1.Pod'],
    ['a/b.Map[go.shape.int,c/d.T]', 'b.Map[go.shape.int,c/d.T]'],
    ['map[string]a/b.T', 'map[string]a/b.T'],
    ['func(a/b.T) error', 'func(a/b.T) error'],
    ['sudog<a/b.T>', 'sudog<a/b.T>'],
  ]
  for (const [name, short] of rows) {
    assert.equal(shortName(name), short)
    assert.ok(matches(name, short) && matches(name, name), name)
    assert.equal(hashText(name), hashText(short), name)
  }
  assert.ok(matches('gopkg.in/yaml%2ev3.Node', 'yaml.v3.Node'))
  assert.equal(hashText('gopkg.in/yaml%2ev3.Node'), hashText('yaml.v3.Node'))
  assert.ok(!matches('a/b.T', 'T'))
})

test('hashName() ends with its bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(70), (bytes, at) => {
      assert.ok(hashName(bytes, at) >= 0)
    }),
  )
})

test('openDebugInfo() answers the same from an index, and none from a damaged one', t => {
  const path = programs.go('1.26')
  if (path === undefined) return t.skip('no Go 1.26')
  const elf = openElf(fileSource(path))
  const first = openDebugInfo(elf)!
  const index = first.index()
  const kept = new Map<string, Uint8Array>()
  const cache = {
    reads: 0,
    read(key: string) {
      this.reads++
      return kept.get(key)
    },
    write: (key: string, pieces: Iterable<Uint8Array>) => kept.set(key, Buffer.concat([...pieces])),
  }
  for (const info of [
    openDebugInfo(elf, { index }),
    openDebugInfo(elf, { cache }),
    openDebugInfo(elf, { cache }),
  ]) {
    assert.equal(info!.findFunctions('main.small').length, first.findFunctions('main.small').length)
    assert.equal(info!.findGlobal('main.squares')?.addr, first.findGlobal('main.squares')!.addr)
    assert.equal(info!.findType('main.square')?.size, first.findType('main.square')!.size)
    assert.deepEqual(info!.findConstant('main.green')?.value, 1n)
    assert.equal(info!.functionAt(first.findFunctions('main.main')[0]!.low + 3)?.name, 'main.main')
    assert.deepEqual([...info!.typeNames()].sort(), [...first.typeNames()].sort())
    assert.deepEqual(info!.index(), index)
  }
  assert.equal(kept.size, 1)
  const [fingerprint] = kept.keys()
  assert.ok(readIndex(index, fingerprint!))
  assert.equal(readIndex(index, `${fingerprint} of another`), undefined)
  fc.assert(
    fc.property(fc.nat(index.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const damaged = index.slice()
      damaged[at]! ^= bits
      assert.equal(readIndex(damaged, fingerprint!), undefined)
      assert.equal(readIndex(index.subarray(0, at), fingerprint!), undefined)
    }),
    { numRuns: 200 },
  )
})

for (const flags of [
  ['-O2', '-gdwarf-5'],
  ['-O1', '-gdwarf-4', '-fdebug-types-section'],
  ['-O2', '-gdwarf-2'],
])
  test(`debug information with any bytes flipped gives answers or a FormatError, C ${flags.join(' ')}`, t => {
    const path = programs.c(`flipped${flags.join('')}`, [...flags, '-gz=none'])
    if (path === undefined) return t.skip('gcc does not build it')
    using source = fileSource(path)
    const whole = new Uint8Array(source.read(0, source.size))
    const sections = openElf(bytesSource(path, whole)).sections.filter(({ name }) =>
      name.startsWith('.debug_'),
    )
    const spots = sections.flatMap(({ offset, size }) => (size > 0 ? [{ offset, size }] : []))
    const flip = fc.tuple(fc.nat(spots.length - 1), fc.nat(1 << 20), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(flip, { minLength: 1, maxLength: 6 }), flips => {
        const bytes = whole.slice()
        for (const [n, at, byte] of flips) bytes[spots[n]!.offset + (at % spots[n]!.size)] = byte
        try {
          lookThrough(bytesSource('damaged', bytes))
        } catch (error) {
          assert.equal((error as Error).name, 'FormatError', String((error as Error).stack))
        }
      }),
      { numRuns: 400 },
    )
  })
