import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { FormatError } from '../../../src/base/errors.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { openElf } from '../../../src/engine/elf/file.ts'
import { readNotes } from '../../../src/engine/elf/note.ts'
import { concat, writeElf, writeNote } from '../../support/elf-writer.ts'

const open = (bytes: Uint8Array) => openElf(bytesSource('small', bytes))
const text = (s: string): Uint8Array => new TextEncoder().encode(s)

for (const is64 of [true, false]) {
  for (const littleEndian of [true, false]) {
    test(`openElf() reads ${is64 ? 64 : 32} bits, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const notes = concat(
        writeNote('GNU', 3, Uint8Array.from([0xab, 0x01]), littleEndian),
        writeNote('Go\0', 4, text('action/content'), littleEndian),
      )
      const elf = open(
        writeElf({
          ...{ type: 2, entry: 0x401000, is64, littleEndian },
          segments: [
            { type: 1, flags: 5, vaddr: 0x400000, bytes: text('machine code'), memsz: 64 },
            { type: 4, bytes: notes },
          ],
        }),
      )
      assert.equal(elf.header.entry, 0x401000)
      assert.deepEqual(
        elf.segments.map(({ type, memsz }) => [type, memsz]),
        [
          [1, 64],
          [4, notes.length],
        ],
      )
      assert.equal(elf.buildId, 'ab01')
      assert.equal(elf.goBuildId, 'action/content')
      assert.equal(Buffer.from(elf.bytesAt(0x400008, 100)).toString(), 'code')
      assert.deepEqual(elf.sections, [])
      assert.deepEqual(elf.symbols(), [])
    })
  }
}

test('openElf() refuses what is not ELF, and headers that the file does not hold', () => {
  assert.throws(() => open(text('#!/bin/sh\nexit 1\n')), FormatError)
  assert.throws(() => open(new Uint8Array(0)), FormatError)
  const whole = writeElf({ type: 2, segments: [{ type: 1, bytes: text('x') }] })
  assert.throws(() => open(whole.subarray(0, 40)), FormatError)
  assert.throws(() => open(whole.subarray(0, 64)), FormatError)
})

test('readNotes() stops at a truncated description and says so', () => {
  const notes = concat(writeNote('CORE', 1, text('abcd')), writeNote('CORE', 3, text('efgh')).subarray(0, -1))
  let cut = 0
  const read = [...readNotes(notes, true, () => cut++)]
  assert.deepEqual(
    read.map(({ owner, type }) => [owner, type]),
    [['CORE', 1]],
  )
  assert.equal(cut, 1)
})

test('a stripped Go executable has sections and a Go build id, and no symbols', () => {
  const elf = openElf(fixtureExecutable())
  assert.ok(elf.section('.gopclntab'))
  assert.match(elf.goBuildId ?? '', /^[\w-]+\/[\w-]+\/[\w-]+\/[\w-]+$/)
  assert.deepEqual(elf.symbols(), [])
})
