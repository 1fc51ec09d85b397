import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { amd64 } from '../../../src/engine/arch/amd64.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { viewOf } from '../../../src/engine/bytes/layout.ts'
import { openCoreFile } from '../../../src/engine/core/core-file.ts'
import { fileInCore } from '../../../src/engine/core/file-in-core.ts'
import { SplicedMemory } from '../../../src/engine/core/memory.ts'
import { openProcessImage } from '../../../src/engine/core/process-image.ts'
import { relocatedData } from '../../../src/engine/core/relocated.ts'
import { openElf } from '../../../src/engine/elf/file.ts'
import { identSize, Phdr64, Shdr64 } from '../../../src/engine/elf/records.ts'
import { findModules, findPclntab } from '../../../src/engine/gosym/index.ts'
import { writeElf } from '../../support/elf-writer.ts'

test('a core of more than 65534 mappings has their number in section 0', () => {
  const bytes = writeElf({
    type: 4,
    segments: [{ type: 1, flags: 6, vaddr: 0x5000, bytes: new Uint8Array(16) }],
  })
  const phnum = 70_000
  const header = new Uint8Array(identSize + 48)
  header.set(bytes.subarray(0, header.length))
  const view = viewOf(header)
  const phoff = header.length
  const shoff = phoff + phnum * Phdr64.size
  view.setUint16(identSize + 40, 0xffff, true)
  view.setBigUint64(identSize + 24, BigInt(shoff), true)
  view.setUint16(identSize + 42, Shdr64.size, true)
  const whole = new Uint8Array(shoff + Shdr64.size)
  whole.set(header)
  const all = viewOf(whole)
  for (let i = 0; i < phnum; i++)
    Phdr64.write(all, phoff + i * Phdr64.size, true, {
      ...{
        type: 1,
        flags: 6,
        offset: 0,
        vaddr: 0x10000 + i * 4096,
        paddr: 0,
        filesz: 16,
        memsz: 4096,
        align: 4096,
      },
    })
  const none = { name: 0, type: 0, flags: 0, addr: 0, offset: 0, size: 1, link: 0, addralign: 0, entsize: 0 }
  Shdr64.write(all, shoff, true, { ...none, info: phnum })
  const core = openCoreFile(bytesSource('many', whole))
  assert.equal(core.segments.length, phnum)
  const { memory } = openProcessImage(core, { find: () => undefined })
  assert.equal(memory.u32(0x10000 + 69_999 * 4096), 0x464c457f)
})

test('the program of a core with all file pages is read from the core', () => {
  const text = new TextEncoder().encode('the program')
  const region = { start: 0x1000, end: 0x1000 + text.length, offset: 0, origin: 'core' as const }
  const memory = new SplicedMemory([{ ...region, source: bytesSource('core', text) }], amd64)
  const mapping = { start: 0x1000, end: 0x1000 + text.length, fileOffset: 4096, path: '/bin/p' }
  const source = fileInCore(memory, [mapping], '/bin/p')!
  assert.equal(source.size, 4096 + text.length)
  assert.equal(Buffer.from(source.read(4100, 100)).toString(), 'program')
  assert.equal(fileInCore(memory, [{ ...mapping, end: mapping.end + 1 }], '/bin/p'), undefined)
  assert.equal(fileInCore(memory, [mapping], '/bin/other'), undefined)
  assert.equal(fileInCore(memory, [{ ...mapping, fileOffset: 2 ** 40 }], '/bin/p'), undefined, 'all hole')
})

test('relocatedData() adds the load bias where the file has relative relocations', () => {
  // One writable segment: two pointers, then the dynamic section and its one relocation.
  const data = new Uint8Array(16 + 48 + 24)
  const view = viewOf(data)
  const base = 0x2000
  view.setBigUint64(0, 0x1111n, true)
  const dynamic = [7, base + 64, 8, 24, 0, 0]
  for (const [i, value] of dynamic.entries()) view.setBigUint64(16 + 8 * i, BigInt(value), true)
  for (const [i, value] of [base + 8, amd64.relativeRelocation, 0x1234].entries())
    view.setBigUint64(64 + 8 * i, BigInt(value), true)
  const bytes = writeElf({
    type: 3,
    segments: [
      { type: 1, flags: 6, vaddr: base, bytes: data },
      { type: 2, flags: 6, vaddr: base + 16, bytes: data.subarray(16, 64) },
    ],
  })
  const regions = relocatedData(openElf(bytesSource('pie', bytes)), 0x7f0000000000, amd64)
  const memory = new SplicedMemory(regions, amd64)
  assert.equal(memory.word(0x7f0000002000), 0x1111)
  assert.equal(memory.word(0x7f0000002008), 0x7f0000001234)
})

test('module data that the core has lost are found in the file', () => {
  const image = openProcessImage(openCoreFile(fixtureCore()), {
    executable: fixtureExecutable(),
    find: () => undefined,
  })
  const file = image.executable!
  const [inCore] = findModules(image.memory, findPclntab(file, image.memory)!, file, 26)
  const [inFile] = findModules(image.pristineMemory(), findPclntab(file, image.memory)!, file, 26)
  assert.deepEqual(inFile, inCore)
})
