/** The parts of a report and the whole, over the crash that the repository carries. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { MismatchError } from '../../../src/base/errors.ts'
import { analyse, bytesSource, openCore } from '../../../src/engine/index.ts'
import { withoutTime } from '../../../src/engine/report/goroutines.ts'

const files = { executable: fixtureExecutable(), find: () => undefined }
const report = analyse(fixtureCore(), files)

test('goroutines come one at a time, as the report lists them', () => {
  const process = openCore(fixtureCore(), files)
  assert.deepEqual([...process.goroutines()], report.goroutines)
  const [first] = process.goroutines()
  assert.equal(first?.id, report.goroutines[0]?.id)
})

test('threads come as the report lists them, the one that died first', () => {
  assert.deepEqual([...openCore(fixtureCore(), files).threads()], report.threads)
  assert.equal(report.threads[0]?.crashed, true)
  assert.equal(report.threads[0]?.tid, report.death.thread)
})

test('a limited report counts and groups all goroutines and lists the guilty one', () => {
  const short = analyse(fixtureCore(), files, { maxGoroutines: 1 })
  assert.equal(short.goroutineCount, report.goroutineCount)
  assert.equal(short.goroutines.length + short.goroutinesOmitted, short.goroutineCount)
  assert.ok(short.goroutines.length <= 2)
  assert.ok(short.goroutines.some(({ id }) => id === report.death.goroutine))
  assert.deepEqual(short.groups, report.groups)
  assert.deepEqual(short.signature, report.signature)
  assert.deepEqual(short.death, report.death)
})

test('groups hold each goroutine once, and their stacks are those of their members', () => {
  const stackOf = (id: number): string[] =>
    report.goroutines.find(g => g.id === id)!.frames.map(({ pc, function: name }) => `${pc} ${name}`)
  const seen = report.groups.flatMap(({ ids }) => ids)
  assert.equal(new Set(seen).size, report.goroutineCount)
  for (const { count, ids, state, frames } of report.groups) {
    assert.equal(ids.length, Math.min(32, count))
    for (const id of ids) {
      assert.deepEqual(
        stackOf(id),
        frames.map(({ pc, function: name }) => `${pc} ${name}`),
      )
      assert.equal(withoutTime(report.goroutines.find(g => g.id === id)!.state), state)
    }
  }
  assert.deepEqual(
    report.groups.map(({ count }) => count),
    report.groups.map(({ count }) => count).sort((a, b) => b - a),
  )
})

test('withoutTime takes the minutes out and leaves the rest', () => {
  assert.equal(withoutTime('chan receive, 12 minutes'), 'chan receive')
  assert.equal(withoutTime('select, 1 minutes, locked to thread'), 'select, locked to thread')
  assert.equal(withoutTime('running'), 'running')
})

test('another executable is refused by its name and the ids of both', () => {
  const other = Uint8Array.from(fixtureExecutable().read(0, fixtureExecutable().size))
  // A letter of the Go build id, which is in the first page.
  const id = Buffer.from(other.subarray(0, 4096)).indexOf('Go\0\0') + 4
  assert.ok(id > 4)
  other[id + 3] = other[id + 3]! ^ 1
  assert.throws(
    () => analyse(fixtureCore(), { executable: bytesSource('/bin/other', other), find: () => undefined }),
    (error: unknown) =>
      error instanceof MismatchError && /\/bin\/other is not the program of this core/.test(error.message),
  )
})

test('what the report says of the build is what the executable has', () => {
  assert.match(report.go!.version, /^go1\./)
  assert.equal(report.go!.os, 'linux')
  assert.equal(report.go!.arch, 'amd64')
  assert.equal(report.go!.layout, 'table')
  assert.equal(report.program.language, 'go')
  assert.equal(report.program.stripped, 'both')
  assert.ok(report.program.goBuildId)
})
