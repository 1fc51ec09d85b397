/** Reports of damaged and missing input: always a report, or a FormatError of the core's own header. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { busyRanges, fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { SinkError } from '../../../src/base/errors.ts'
import { parseReport } from '../../../src/daemon/report-file.ts'
import { analyse, type ByteSource, bytesSource, openCore, type Report } from '../../../src/engine/index.ts'

const core = fixtureCore()
const executable = fixtureExecutable()
/** Pages that hold anything but zeros: where damage tells. */
const busy = busyRanges(core)
// A Buffer, whose slice would be no copy.
const whole = core.read(0, core.size)

function reportOf(source: ByteSource, exe: ByteSource | undefined = executable): Report | SinkError {
  try {
    const report = analyse(source, { ...(exe ? { executable: exe } : {}), find: () => undefined })
    assert.doesNotThrow(() => parseReport(JSON.stringify(report), 'a report that can’t be read back'))
    return report
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    assert.ok(error instanceof SinkError, String((error as Error).stack))
    return error
  }
}

function flipped(flips: readonly (readonly [number, number])[]): ByteSource {
  const bytes = new Uint8Array(whole)
  for (const [at, byte] of flips) bytes[Math.min(bytes.length - 1, at)] = byte
  return bytesSource('core', bytes)
}

test('a core cut anywhere gives a report with a warning', () => {
  for (const part of [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999]) {
    const cut = bytesSource('core', whole.subarray(0, Math.floor(whole.length * part)))
    const report = reportOf(cut)
    assert.ok(!(report instanceof SinkError), `${part}: ${report instanceof SinkError ? report.message : ''}`)
    assert.equal(report.core.complete, false)
    assert.ok(report.warnings.some(({ code }) => code === 'core-truncated'))
  }
})

test('a core without its executable gives a report with a warning', () => {
  const report = analyse(core, { find: () => undefined })
  assert.ok(report.warnings.some(({ code }) => code === 'executable-missing'))
  assert.equal(report.threads.length > 0, true)
  assert.notEqual(report.death.verdict, '')
})

test('any bytes flipped give a report, in bounded time', { timeout: 300_000 }, () => {
  const place = fc
    .tuple(fc.nat(busy.length - 1), fc.nat())
    .map(([range, at]) => busy[range]![0] + (at % (busy[range]![1] - busy[range]![0])))
  const flip = fc.tuple(place, fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 200 }), flips => {
      const started = performance.now()
      reportOf(flipped(flips))
      assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`)
    }),
    { numRuns: Number(process.env.RUNS ?? 40) },
  )
})

test('goroutines overwritten give a report that can be read back', () => {
  const { image, runtime } = openCore(core, { executable, find: () => undefined })
  for (const byte of [0xff, 0x7f, 0x80]) {
    const bytes = new Uint8Array(whole)
    for (const { addr } of runtime!.goroutines()) {
      const { start, offset } = image.memory.regions.find(({ start, end }) => start <= addr && addr < end)!
      bytes.fill(byte, offset + addr - start, offset + addr - start + 400)
    }
    const report = reportOf(bytesSource('core', bytes))
    assert.ok(!(report instanceof SinkError) && report.goroutines.length > 0)
  }
})

test('whole pages overwritten give a report, in bounded time', { timeout: 300_000 }, () => {
  const page = 4096
  const pages = busy.flatMap(([start, end]) =>
    Array.from({ length: (end - start) / page }, (_, i) => start + i * page).slice(1),
  )
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pages), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(0, 0x41, 0xff, 0xc0),
      (chosen, byte) => {
        const bytes = new Uint8Array(whole)
        for (const at of chosen) bytes.fill(byte, at, at + page)
        const started = performance.now()
        reportOf(bytesSource('core', bytes))
        assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`)
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 40) },
  )
})
