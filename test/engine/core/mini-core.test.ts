import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { bytesInCore, layOutMiniCore } from '../../../src/engine/core/mini-core.ts'
import { TouchedMemory } from '../../../src/engine/core/touched-memory.ts'
import { SegmentType } from '../../../src/engine/elf/constants.ts'
import { type ElfFile, openElf } from '../../../src/engine/elf/file.ts'
import { writeElf, writeNote } from '../../support/elf-writer.ts'

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 11)

interface Core {
  readonly source: ElfFile['source']
  readonly elf: ElfFile
  readonly segments: ElfFile['segments']
}

function opened(bytes: Uint8Array): Core {
  const elf = openElf(bytesSource('core', bytes))
  return { source: elf.source, elf, segments: elf.segments.filter(({ type }) => type === SegmentType.load) }
}

function coreOf(is64: boolean, littleEndian: boolean, size = 100_000): Core {
  // EM_386, EM_X86_64 and EM_S390.
  const machine = !is64 ? 3 : littleEndian ? 62 : 22
  const note = writeNote('CORE', 6, new Uint8Array(16), littleEndian)
  const bytes = writeElf({
    ...{ type: 4, machine, is64, littleEndian },
    segments: [
      { type: 4, bytes: note },
      { type: 1, vaddr: 0x40_0000, bytes: new Uint8Array(0), memsz: 4096 },
      { type: 1, vaddr: 0x100_0000, bytes: noise(size) },
    ],
  })
  return opened(bytes)
}

function laidOut(core: Core, touched: TouchedMemory): Core {
  const mini = layOutMiniCore(core, touched.ranges())!
  const parts = mini.pieces.map(({ offset, length }) => core.source.read(offset, length))
  const bytes = Buffer.concat([mini.header, ...parts])
  assert.equal(bytes.length, mini.size)
  return opened(bytes)
}

describe('layOutMiniCore()', () => {
  for (const [is64, littleEndian] of [
    [true, true],
    [false, true],
    [true, false],
  ] as const)
    it(`keeps notes, empty segments and the chosen bytes, ${is64 ? 64 : 32} bits, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const core = coreOf(is64, littleEndian)
      const touched = new TouchedMemory(64)
      touched.add(0x100_0000 + 1000, 10)
      touched.add(0x100_0000 + 50_000, 3000)
      // Of a file, and nowhere: not in the core.
      touched.add(0x40_0000, 100)
      touched.add(0x7000_0000, 100)
      assert.equal(bytesInCore(core, touched.ranges()), 64 + 3072)
      const mini = laidOut(core, touched)
      assert.deepEqual(mini.elf.notes, core.elf.notes)
      assert.deepEqual(mini.elf.header, core.elf.header)
      assert.deepEqual(
        mini.segments.map(({ vaddr, filesz, memsz }) => [vaddr, filesz, memsz]),
        [
          [0x40_0000, 0, 4096],
          [0x100_0000 + 960, 64, 64],
          [0x100_0000 + 49_984, 3072, 3072],
        ],
      )
      const whole = noise(100_000)
      for (const { vaddr, offset, filesz } of mini.segments.slice(1))
        assert.deepEqual(
          Uint8Array.from(mini.source.read(offset, filesz)),
          whole.slice(vaddr - 0x100_0000, vaddr - 0x100_0000 + filesz),
        )
    })

  it('joins runs until debuggers can bear their number', () => {
    const core = coreOf(true, true, 16 << 20)
    const touched = new TouchedMemory(64)
    for (let at = 0; at < 16 << 20; at += 1024) touched.add(0x100_0000 + at, 8)
    const { segments } = laidOut(core, touched)
    assert.ok(segments.length <= 8193, `${segments.length}`)
    for (let at = 0; at < 16 << 20; at += 1024)
      assert.ok(
        segments.some(
          ({ vaddr, filesz }) => vaddr <= 0x100_0000 + at && 0x100_0000 + at + 8 <= vaddr + filesz,
        ),
      )
  })
})

describe('TouchedMemory', () => {
  it('holds whole grains, once each, and nothing that is no address', () => {
    const touched = new TouchedMemory(64)
    touched.add(130, 1)
    touched.add(100, 60)
    touched.add(65_530, 10)
    for (const [start, length] of [
      [-1, 4],
      [0, 0],
      [Infinity, 8],
      [Number.NaN, 8],
      [0, 2 ** 40],
    ] as const)
      touched.add(start, length)
    assert.deepEqual(touched.ranges(), [
      { start: 64, end: 192 },
      { start: 65_472, end: 65_600 },
    ])
    assert.equal(touched.size, 256)
    assert.deepEqual([touched.has(64), touched.has(63), touched.has(191)], [true, false, true])
  })
})
