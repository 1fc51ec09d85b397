import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { Code } from '../../../src/engine/disasm/code.ts'
import { openCore } from '../../../src/engine/index.ts'

const file = (name: string) =>
  bytesSource(
    name,
    zstdDecompressSync(readFileSync(join(import.meta.dirname, '../../fixtures/till', `${name}.zst`))),
  )
/** Stripped with -s -w: all that is known comes from pclntab. */
const dead = openCore(file('core'), { executable: file('till'), find: () => undefined })
const code = new Code(dead.image, dead.runtime)
const main = code.findFunctions('main.main')[0]!

describe('Code', () => {
  it('finds functions by their whole name, by its end, and without the star of a receiver', () => {
    assert.equal(main.name, 'main.main')
    assert.equal(main.language, 'go')
    const [method] = code.findFunctions('runtime.(*mheap).alloc')
    assert.ok(method)
    assert.deepEqual(code.findFunctions('runtime.mheap.alloc'), [method])
    assert.ok(code.findFunctions('mheap).alloc').length === 0)
    assert.ok(code.findFunctions('gopanic').some(({ name }) => name === 'runtime.gopanic'))
    assert.deepEqual(code.findFunctions('no.such'), [])
  })

  it('ends a function where its code does, before what fills up to the next', () => {
    const bytes = code.read(main.start, main.end)
    assert.equal(bytes.length, main.end - main.start)
    assert.notEqual(bytes.at(-1), 0xcc)
    assert.equal(code.functionAt(main.end - 1)?.start, main.start)
  })

  it('finds the instructions of a line, and the line of an instruction', () => {
    const place = code.lineAt(main.start)!
    assert.match(place.file, /main\.go$/)
    const [first] = code.addressesOf(place.file.split('/').at(-1)!, place.line)
    assert.ok(first !== undefined)
    assert.deepEqual(code.lineAt(first), place)
    assert.deepEqual(code.addressesOf('nowhere.go', 1), [])
  })

  it('names addresses by the function that they are in', () => {
    assert.deepEqual(code.symbolAt(main.start + 5), { name: 'main.main', start: main.start })
    assert.equal(code.symbolAt(8), undefined)
    assert.equal(code.functionsAt(main.start)[0], 'main.main')
  })

  it('lists sources and packages', () => {
    assert.ok([...code.sourceFiles()].some(path => path.endsWith('runtime/proc.go')))
    assert.equal(code.sourceFile('proc.go')?.endsWith('/proc.go'), true)
    const packages = new Set(code.packages())
    for (const name of ['main', 'runtime', 'internal/abi']) assert.ok(packages.has(name), name)
  })

  it('reads what is there of memory, and nothing where nothing is', () => {
    assert.equal(code.read(16, 32).length, 0)
    assert.ok(code.read(main.start, main.start + (1 << 26)).length < 1 << 26)
  })
})
