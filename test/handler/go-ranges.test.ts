/** The search for goroutines in memory that was made to keep it busy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGoroutines, type ReadMemory } from '../../src/handler/go-ranges.ts'

const heap = 0xc000000000
const goroutine = heap + 0x1000
const list = heap + 0x100000
const data = { start: 0x600000, end: 0x600000 + (16 << 20) }

/** Each word of the data begins a list of 500,000 goroutines, the first of which is one and the last is none. */
const trap: ReadMemory = (buffer, address) => {
  buffer.fill(0)
  const put = (at: number, value: number): void => {
    if (at >= address && at + 8 <= address + buffer.length)
      buffer.writeBigUInt64LE(BigInt(value), at - address)
  }
  if (address >= data.start && address < data.end)
    for (let at = 0; at + 24 <= buffer.length; at += 24) {
      buffer.writeBigUInt64LE(BigInt(list), at)
      buffer.writeBigUInt64LE(500_000n, at + 8)
      buffer.writeBigUInt64LE(500_000n, at + 16)
    }
  else if (address === goroutine) {
    put(goroutine, heap + 0x10000)
    put(goroutine + 8, heap + 0x12000)
    put(goroutine + 16, heap + 0x10000 + 928)
  } else if (address >= list && address < list + 4_000_000) {
    for (let at = 0; at + 8 <= buffer.length; at += 8) buffer.writeBigUInt64LE(BigInt(goroutine), at)
    put(list + 3_999_992, 1)
  }
}

test('the search for goroutines ends when it has taken too long', () => {
  const began = process.threadCpuUsage()
  const spent = (): number => {
    const { user, system } = process.threadCpuUsage(began)
    return (user + system) / 1000
  }
  // So many looks at the clock, not so many milliseconds: machines differ in what they do in these.
  const most = 100_001
  let looks = 0
  const isOver = (): boolean => ++looks >= most
  assert.equal(findGoroutines(trap, [data], isOver), undefined)
  // The list that is read sees it, and whoever looks for the next one.
  assert.equal(looks, most + 1)
  // A list is read at once.
  assert.ok(spent() < 1500, `${spent()} ms`)
})

test('a list of half a million goroutines is found', () => {
  const read: ReadMemory = (buffer, address) => {
    trap(buffer, address)
    if (address === list + 3_999_992) buffer.writeBigUInt64LE(BigInt(goroutine))
    else if (address === list && buffer.length === 4_000_000)
      buffer.writeBigUInt64LE(BigInt(goroutine), 3_999_992)
  }
  const found = findGoroutines(read, [data], () => false)
  assert.equal(found?.goroutines.length, 500_000)
  assert.equal(found?.variable, data.start)
})
