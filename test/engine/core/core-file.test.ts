import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { FormatError, MismatchError, UnsupportedError } from '../../../src/base/errors.ts'
import { amd64 } from '../../../src/engine/arch/amd64.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { copyOf, viewOf } from '../../../src/engine/bytes/layout.ts'
import { openCoreFile } from '../../../src/engine/core/core-file.ts'
import { openProcessImage } from '../../../src/engine/core/process-image.ts'
import { readSiginfo } from '../../../src/engine/core/siginfo.ts'
import { openElf } from '../../../src/engine/elf/file.ts'
import { concat, writeElf, writeNote } from '../../support/elf-writer.ts'

function prstatus(tid: number, pc: bigint): Uint8Array {
  const desc = new Uint8Array(amd64.prstatus.size)
  const view = viewOf(desc)
  view.setUint16(12, 11, true)
  view.setInt32(32, tid, true)
  view.setBigUint64(amd64.prstatus.regs + 8 * amd64.registers.indexOf('rip'), pc, true)
  return desc
}

function words(...values: (number | bigint)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, BigInt).buffer)
}

const core = (notes: Uint8Array, more: Parameters<typeof writeElf>[0]['segments'] = []): Uint8Array =>
  writeElf({ type: 4, segments: [{ type: 4, bytes: notes }, ...more] })

test('openCoreFile() reads threads, signal, auxiliary vector and mappings, and passes unknown notes by', () => {
  const files = concat(words(1, 4096, 0x400000, 0x402000, 3), new TextEncoder().encode('/bin/server\0'))
  const siginfo = new Uint8Array(128)
  siginfo[0] = 11
  siginfo[8] = 1
  siginfo.set(words(0xdead), 16)
  const notes = concat(
    writeNote('CORE', 1, prstatus(42, 0x401234n)),
    writeNote('LINUX', 0x205, new Uint8Array(7)),
    writeNote('CORE', 0x53494749, siginfo),
    writeNote('CORE', 6, words(9, 0x401000, 6, 4096, 0, 0)),
    writeNote('CORE', 0x46494c45, files),
    writeNote('CORE', 1, prstatus(43, 0x405678n)),
  )
  const file = openCoreFile(bytesSource('core', core(notes)))
  assert.deepEqual(
    file.threads.map(({ tid, crashed, signal, registers }) => [tid, crashed, signal, registers.pc]),
    [
      [42, true, 11, 0x401234],
      [43, false, 11, 0x405678],
    ],
  )
  assert.deepEqual(file.siginfo, { signo: 11, errno: 0, code: 1, addr: 0xdeadn })
  assert.equal(file.auxv.get(9), 0x401000)
  assert.deepEqual(file.mappings, [
    { start: 0x400000, end: 0x402000, fileOffset: 3 * 4096, path: '/bin/server' },
  ])
  assert.ok(file.complete)
  assert.deepEqual(file.warnings, [])
})

test('a core cut short says how much there is, and keeps what there is', () => {
  const whole = core(writeNote('CORE', 1, prstatus(1, 0n)), [
    { type: 1, flags: 6, vaddr: 0x1000, bytes: new Uint8Array(100).fill(7) },
  ])
  const file = openCoreFile(bytesSource('core', whole.subarray(0, whole.length - 40)))
  assert.equal(file.complete, false)
  assert.equal(file.expectedSize, whole.length)
  assert.equal(file.warnings[0]?.code, 'core-truncated')
  const { memory } = openProcessImage(file, { find: () => undefined })
  assert.equal(memory.has(0x1000, 60), true)
  assert.equal(memory.has(0x1000, 61), false)
})

test('a damaged NT_FILE is a warning', () => {
  const file = openCoreFile(bytesSource('core', core(writeNote('CORE', 0x46494c45, words(1e9, 4096)))))
  assert.deepEqual(file.mappings, [])
  assert.deepEqual(
    file.warnings.map(({ code }) => code),
    ['core-note-damaged', 'core-without-threads'],
  )
})

test('openCoreFile() refuses executables and unknown machines by name', () => {
  assert.throws(() => openCoreFile(fixtureExecutable()), FormatError)
  const strange = writeElf({ type: 4, machine: 99, segments: [] })
  assert.throws(() => openCoreFile(bytesSource('core', strange)), UnsupportedError)
})

test('readSiginfo() tells faults from signals that were sent', () => {
  const bytes = new Uint8Array(32)
  const view = viewOf(bytes)
  view.setInt32(0, 6, true)
  view.setInt32(8, -6, true)
  view.setInt32(16, 77, true)
  view.setInt32(20, 1000, true)
  assert.deepEqual(readSiginfo(bytes, amd64), { signo: 6, errno: 0, code: -6, pid: 77, uid: 1000 })
  assert.equal(readSiginfo(bytes.subarray(0, 20), amd64), undefined)
})

test('an executable of another build is refused with both ids', () => {
  const file = openCoreFile(fixtureCore())
  const other = copyOf(fixtureExecutable().read(0, fixtureExecutable().size))
  const id = openElf(fixtureExecutable()).goBuildId!
  const at = Buffer.from(other).indexOf(id)
  other[at] = other[at] === 0x41 ? 0x42 : 0x41
  assert.throws(
    () => openProcessImage(file, { executable: bytesSource('other', other), find: () => undefined }),
    (error: unknown) => error instanceof MismatchError && error.message.includes(id),
  )
})

test('the executable is asked for by the path and the id that the core shows', () => {
  const asked: unknown[] = []
  const image = openProcessImage(openCoreFile(fixtureCore()), {
    find: request => void asked.push(request),
  })
  assert.equal(asked.length, 1)
  assert.deepEqual(asked[0], {
    path: image.executablePath,
    role: 'executable',
    goBuildId: openElf(fixtureExecutable()).goBuildId,
  })
  assert.deepEqual(
    image.warnings.map(({ code }) => code),
    ['executable-missing'],
  )
})
