import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ProcessMemory } from '../../src/handler/process-memory.ts'

test('pages in use that can not be read are zeros, and counted', () => {
  const directory = mkdtempSync(join(tmpdir(), 'memory-'))
  try {
    // A directory opens, and gives no byte.
    mkdirSync(join(directory, 'mem'))
    const entries = Buffer.alloc(4 * 8)
    // Present; swapped out; never touched twice.
    entries[7] = 0x80
    entries[15] = 0x40
    writeFileSync(join(directory, 'pagemap'), entries)
    const memory = new ProcessMemory(directory)
    const buffer = Buffer.alloc(4 * 4096, 1)
    assert.equal(memory.read(buffer, 0), 2)
    assert.ok(buffer.equals(Buffer.alloc(buffer.length)))
    assert.equal(memory.read(buffer, 100 * 4096), 0, 'behind what it tells')
    memory.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
