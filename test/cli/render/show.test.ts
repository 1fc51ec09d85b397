import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromDump } from '../../../src/cli/render/escape.ts'
import { infoSections } from '../../../src/cli/render/info.ts'
import { show } from '../../../src/cli/render/show.ts'
import { threadTraceback, traceback } from '../../../src/cli/render/traceback.ts'
import { assertGolden } from '../../support/golden.ts'
import { now, sampleManifest, sampleReport } from '../sample-report.ts'

process.env.TZ = 'UTC'
const noSource = { lines: () => undefined, warnings: [], noneFound: true }
const text = (lines: Iterable<string>): string => `${[...lines].join('\n')}\n`
const crash = (): {
  report: ReturnType<typeof sampleReport>
  manifest: ReturnType<typeof sampleManifest>
  target: string
} => ({
  report: sampleReport(),
  manifest: sampleManifest(),
  target: '7f3k2mabcdef',
})

describe('show()', () => {
  for (const width of [80, 160, Number.POSITIVE_INFINITY])
    it(`fits ${width} columns`, () =>
      assertGolden(
        `cli/show-${width}.txt`,
        text(show(crash(), { width, color: false, now }, { source: noSource, all: false })),
      ))

  it('colours', () =>
    assertGolden(
      'cli/show-color.txt',
      text(show(crash(), { width: 100, color: true, now }, { source: noSource, all: true })),
    ))

  it('a line of source can hold what it likes', () => {
    const lines = [{ number: 41, text: '    \tx()\u001b]0;owned\u0007 \u009b31m \u202e', here: true }]
    const printed = text(
      show(
        crash(),
        { width: 120, color: false, now },
        { source: { ...noSource, lines: () => lines }, all: false },
      ),
    )
    assert.match(printed, /^ +→ 41 {2}x\(\)\\e\]0;owned\\x07 \\x9b31m \\u\{202e\}$/m)
  })

  it('shows the main goroutine of a process that had not died', () => {
    const { report, ...rest } = crash()
    const main = { ...report.goroutines[0]!, id: 1, state: 'select' }
    const idle = { ...report.threads[0]!, crashed: true, frames: [{ function: 'runtime.futex' }] }
    const { goroutine: _, ...death } = report.death
    const alive = {
      ...report,
      death: { ...death, kind: 'alive', verdict: 'The process had not died.' },
      goroutines: [main],
      threads: [idle],
    } as typeof report
    const look = { width: 100, color: false, now }
    const printed = text(show({ report: alive, ...rest }, look, { source: noSource, all: false }))
    assert.match(printed, /^goroutine 1 \[select\].*, the main one$/m)
    assert.doesNotMatch(printed, /took the signal/)
  })

  it('a warning that quotes a name with line breaks is one line', () => {
    const { report, ...rest } = crash()
    const message = 'The executable /tmp/a\n<0>kernel: forged\n is missing.'
    const shown = fromDump({
      ...report,
      warnings: [{ code: 'executable-missing', message }],
    } as typeof report)
    const printed = text(
      show({ report: shown, ...rest }, { width: 200, color: false, now }, { source: noSource, all: false }),
    )
    assert.match(printed, /^warning: The executable \/tmp\/a\\n<0>kernel: forged\\n is missing\.$/m)
    const listed = infoSections({ summary: { ...shown, goroutineCount: 1 } as never }, 'a', false)
    assert.match(JSON.stringify(listed), /\/tmp\/a\\\\n<0>kernel/)
  })

  it('tells why there is no executable, where the handler knew', () => {
    const { report, manifest, ...rest } = crash()
    const warnings = [{ code: 'executable-missing', message: 'The executable is missing.' }]
    const program = { ...report.program, language: 'unknown', path: '/usr/bin/till' }
    const verdictWith = (notes: string[]): string =>
      text(
        show(
          { report: { ...report, program, warnings } as never, manifest: { ...manifest, notes }, ...rest },
          { width: 200, color: false, now },
          { source: noSource, all: false },
        ),
      ).replaceAll(/\s+/g, ' ')
    const end = "so its code can't be told: --exe FILE names it."
    assert.ok(verdictWith([]).includes(`The executable /usr/bin/till was not found, ${end}`))
    const note =
      'Could not open /proc/7/exe, storing the core without its executable: its storage does not answer'
    const why = 'could not be stored (its storage does not answer)'
    assert.ok(verdictWith(['another', note]).includes(`The executable /usr/bin/till ${why}, ${end}`))
  })

  it('explains a dump without a core by its manifest', () => {
    const { manifest } = crash()
    const core = {
      state: 'none' as const,
      reason: 'rlimit' as const,
      detail: 'RLIMIT_CORE was 0',
      raw_size: 0,
      stored_size: 0,
    }
    assertGolden(
      'cli/show-no-core.txt',
      text(
        show(
          { manifest: { ...manifest, core }, target: manifest.id },
          { width: 100, color: false, now },
          { source: noSource, all: false },
        ),
      ),
    )
  })

  it('explains a crash outside Go by its thread', () => {
    const report = sampleReport()
    const { go: _, ...rest } = report
    const c = {
      ...rest,
      program: { ...report.program, language: 'c' as const },
      death: {
        kind: 'signal' as const,
        message: 'SIGSEGV: segmentation violation',
        verdict: 'Read of address 0x0.',
        signal: 11,
        signalName: 'SIGSEGV',
        signalCodeName: 'SEGV_MAPERR',
        address: '0x0',
        thread: 4125,
        panics: [],
      },
      goroutines: [],
      groups: [],
      goroutineCount: 0,
    }
    assertGolden(
      'cli/show-c.txt',
      text(
        show(
          { report: c, target: './core' },
          { width: 100, color: false, now },
          { source: noSource, all: false },
        ),
      ),
    )
  })

  it('prints nothing of a hostile dump raw', () => {
    const { report, manifest } = crash()
    const evil = '\x1b[2J\x1b]0;owned\x07\nforged line\u202e'
    report.death.message = `panic: ${evil}`
    report.goroutines[0]!.frames[2]!.function = `main.${evil}`
    report.goroutines[0]!.labels = { [evil]: evil }
    manifest.process.comm = evil
    manifest.process.cmdline = ['x', evil]
    manifest.host.name = evil
    assertGolden(
      'cli/show-hostile.txt',
      text(
        show(
          { ...fromDump({ report, manifest }), target: manifest.id },
          { width: 100, color: false, now },
          { source: noSource, all: false },
        ),
      ),
    )
  })
})

describe('traceback()', () => {
  const guilty = sampleReport().goroutines[0]!
  it("has the runtime's own format", () => assertGolden('cli/traceback.txt', text(traceback(guilty))))
  it('adds what the runtime adds at GOTRACEBACK=system', () =>
    assertGolden('cli/traceback-system.txt', text(traceback(guilty, { system: true, addresses: true }))))
  it('prints threads alike', () =>
    assertGolden('cli/traceback-thread.txt', text(threadTraceback(sampleReport().threads[0]!))))
})
