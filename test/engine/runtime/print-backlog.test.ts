import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  backlogPlaceFromCode,
  backlogPlaceFromText,
  backlogSize,
  fatalMessage,
  readBacklog,
  unrollBacklog,
} from '../../../src/engine/runtime/print-backlog.ts'
import { FakeMemory } from '../../support/fake-memory.ts'

const bss = { start: 0x50000, end: 0x51000 }
const ring = bss.start + 0x140
const index = bss.start + 0x38

/** recordForPanic at work: bytes go round a ring of 512. */
function written(text: string): { memory: FakeMemory; next: number } {
  const bytes = new Uint8Array(backlogSize)
  let next = 0
  for (const byte of new TextEncoder().encode(text)) {
    bytes[next] = byte
    next = (next + 1) % backlogSize
  }
  const memory = new FakeMemory().put(bss.start, new Uint8Array(0x1000)).put(ring, bytes).words(index, next)
  return { memory, next }
}

test('readBacklog gives the last 512 bytes in the order in which they were printed', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'x'), maxLength: 1600 }), text => {
      const { memory } = written(text)
      const read = readBacklog(memory.memory(), { ring, index })
      assert.equal(read, text === '' ? undefined : text.slice(-backlogSize))
    }),
  )
})

test('readBacklog finds the end of a full ring behind the fatal error where no index is known', () => {
  const text = `${'noise '.repeat(200)}\nfatal error: all goroutines are asleep - deadlock!\n`
  const { memory } = written(text)
  assert.equal(readBacklog(memory.memory(), { ring }), text.slice(-backlogSize))
})

test('fatalMessage takes the last error and its continuation lines', () => {
  assert.equal(fatalMessage('hello\n'), undefined)
  assert.equal(fatalMessage('fatal error: one\nbetween\nfatal error: two\n'), 'fatal error: two')
  assert.equal(fatalMessage('fatal error: one'), 'fatal error: one')
  const both = 'fatal error: concurrent map writes\nfatal error: concurrent map writes'
  assert.equal(fatalMessage(`before\n${both}\n`), both)
  assert.equal(fatalMessage(`${both}\n`), both)
  assert.equal(fatalMessage('fatal error: a\n\tb\nafter\n'), 'fatal error: a\n\tb')
})

test('backlogPlaceFromCode tells the ring from the lock, and the index by its load and store', () => {
  const entry = 0x40000
  const refer = (at: number, opcode: number, target: number): Uint8Array => {
    const code = Uint8Array.of(0x48, opcode, 0x05, 0, 0, 0, 0)
    new DataView(code.buffer).setInt32(3, target - (entry + at + 7), true)
    return code
  }
  const code = new Uint8Array(64).fill(0x90)
  code.set(refer(0, 0x8d, bss.start + 0x20), 0)
  code.set(refer(8, 0x8b, index), 8)
  code.set(refer(16, 0x8d, ring), 16)
  code.set(refer(24, 0x89, index), 24)
  code.set(refer(32, 0x8b, bss.start + 0x48), 32)
  const { memory } = written('fatal error: x\n')
  memory.words(bss.start + 0x20, 1)
  assert.deepEqual(backlogPlaceFromCode(code, entry, bss, memory.memory()), { ring, index })
})

test('backlogPlaceFromText finds the ring by its text', () => {
  const { memory } = written('hello\nfatal error: x\n')
  assert.deepEqual(backlogPlaceFromText(memory.memory(), bss), { ring })
  assert.equal(backlogPlaceFromText(written('hello\n').memory.memory(), bss), undefined)
})

test('unrollBacklog takes any ring and any index', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), fc.integer(), (bytes, at) => {
      assert.ok(unrollBacklog(bytes, at).length <= 512)
    }),
  )
})
