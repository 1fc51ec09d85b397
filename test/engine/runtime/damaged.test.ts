/**
 * Damaged cores and executables: whatever bytes are flipped, zeroed or cut, there is a report with fewer frames and
 * warnings, or one of the errors that a person can read; and there is an end to it.
 */
import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { SinkError } from '../../../src/base/errors.ts'
import type { ByteSource } from '../../../src/engine/bytes/byte-source.ts'
import { openCoreFile } from '../../../src/engine/core/core-file.ts'
import { openProcessImage } from '../../../src/engine/core/process-image.ts'
import { openRuntime, type Runtime } from '../../../src/engine/runtime/runtime.ts'

interface Damage {
  /** Where in the range, from 0 to 1. */
  at: number
  range: number
  bytes: Uint8Array
}

type Ranges = readonly (readonly [start: number, end: number])[]

const damages = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    range: fc.nat(),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 9 }),
      fc.constant(new Uint8Array(8)),
      fc.constant(new Uint8Array(8).fill(0xff)),
      fc.constant(new Uint8Array(256)),
    ),
  }),
  { minLength: 1, maxLength: 60 },
)

/** The source with pieces of it replaced. */
function damaged(source: ByteSource, ranges: Ranges, list: readonly Damage[]): ByteSource {
  const patches = list.map(({ at, range, bytes }) => {
    const [start, end] = ranges[range % ranges.length]!
    const where = Math.floor(start + at * (end - start))
    return { where, bytes: bytes.subarray(0, Math.max(0, end - where)) }
  })
  const read = (offset: number, length: number): Uint8Array => {
    const part = Buffer.from(source.read(offset, length))
    for (const { where, bytes } of patches) {
      const skip = Math.max(0, offset - where)
      const to = where + skip - offset
      if (to < part.length && skip < bytes.length) part.set(bytes.subarray(skip, skip + part.length - to), to)
    }
    return part
  }
  return { name: source.name, size: source.size, read }
}

function readAll(core: ByteSource, executable: ByteSource): void {
  const started = performance.now()
  try {
    const image = openProcessImage(openCoreFile(core), { executable, find: () => undefined })
    const runtime = openRuntime(image)
    if (runtime) walk(runtime)
  } catch (error) {
    assert.ok(error instanceof SinkError && error.code !== 'MEMORY_FAULT', String((error as Error).stack))
  }
  assert.ok(performance.now() - started < 2000, 'within two seconds')
}

function walk(runtime: Runtime): void {
  for (const g of runtime.goroutines()) {
    void [
      runtime.stateOf(g),
      runtime.createdBy(g),
      runtime.isSystem(g),
      runtime.labelsOf(g),
      runtime.waitedFor(g),
    ]
    for (const frame of runtime.tracebackOf(g).frames) void frame.args
  }
  for (const thread of runtime.threads)
    for (const { traceback } of runtime.stacksOf(thread))
      for (const frame of traceback.frames) void frame.args
  assert.ok(Array.isArray(runtime.warnings))
}

const whole = openRuntime(
  openProcessImage(openCoreFile(fixtureCore()), { executable: fixtureExecutable(), find: () => undefined }),
)!

/** Where an address range is in its file. */
function inFile(lo: number, hi: number): readonly [number, number] {
  const region = whole.image.memory.regionAt(lo)!
  return [region.offset + lo - region.start, region.offset + Math.min(hi, region.end) - region.start]
}

const runs = { numRuns: 60 }
const [module] = whole.modules

test('damaged headers and notes', () => {
  fc.assert(
    fc.property(damages, list =>
      readAll(
        damaged(
          fixtureCore(),
          [
            [0, 64],
            [64, 0x6000],
          ],
          list,
        ),
        fixtureExecutable(),
      ),
    ),
    runs,
  )
})

test('cores cut anywhere', () => {
  const { size } = fixtureCore()
  fc.assert(
    fc.property(fc.nat(size), length => {
      const cut = {
        name: 'cut',
        size: length,
        read: (at: number, n: number) => fixtureCore().read(at, Math.min(n, length - at)),
      }
      readAll(cut, fixtureExecutable())
    }),
    runs,
  )
})

test('damaged goroutines, machines and stacks', () => {
  const ranges: (readonly [number, number])[] = []
  for (const g of whole.goroutines())
    ranges.push(inFile(g.addr, g.addr + 456), inFile(g.stack.lo, g.stack.hi))
  for (const m of whole.machines.values())
    ranges.push(inFile(m.addr, m.addr + 1024), inFile(m.g0, m.g0 + 456))
  fc.assert(
    fc.property(damages, list => readAll(damaged(fixtureCore(), ranges, list), fixtureExecutable())),
    runs,
  )
})

test('damaged module data and variables', () => {
  const { addr, data, edata, bss, ebss } = module!
  const ranges = [inFile(addr, addr + 600), inFile(addr, addr + 600), inFile(data, edata), inFile(bss, ebss)]
  fc.assert(
    fc.property(damages, list => readAll(damaged(fixtureCore(), ranges, list), fixtureExecutable())),
    runs,
  )
})

test('damaged tables of functions', () => {
  const { funcnametab, cutab, filetab, pctab, pclntable, gofunc, header } = module!
  const ranges = [funcnametab, cutab, filetab, pctab, pclntable].map(({ ptr, len }) => inFile(ptr, ptr + len))
  ranges.push(inFile(gofunc, gofunc + 40_000), inFile(header.addr, header.addr + 72))
  fc.assert(
    fc.property(damages, list => readAll(fixtureCore(), damaged(fixtureExecutable(), ranges, list))),
    runs,
  )
})
