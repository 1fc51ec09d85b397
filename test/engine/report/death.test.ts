/** One real crash for each way to die: what the report says, against what the program itself said when it died. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeathKind, Report } from '../../../src/engine/index.ts'
import { crashPrograms, lastWords, reportOf, whyNoCrashes } from '../../support/crashed-programs.ts'

/** Program, kind of death, signal, and what the verdict must say. */
const ways: readonly [string, DeathKind, string, RegExp][] = [
  ['panic-string', 'panic', 'SIGABRT', /^main\.withdraw \(main\.go:\d+\) panicked/],
  ['panic-error', 'panic', 'SIGABRT', /panicked with a \*fmt\.wrapError/],
  ['panic-custom-error', 'panic', 'SIGABRT', /panicked with a \*main\.parseError/],
  ['panic-stringer', 'panic', 'SIGABRT', /panicked with a main\.state/],
  ['panic-int', 'panic', 'SIGABRT', /panicked with an int/],
  ['panic-float', 'panic', 'SIGABRT', /panicked with a float64/],
  ['panic-complex', 'panic', 'SIGABRT', /panicked with a main\.signal/],
  ['panic-bool', 'panic', 'SIGABRT', /panicked with a bool/],
  ['panic-named-int', 'panic', 'SIGABRT', /panicked with a main\.code/],
  ['panic-named-string', 'panic', 'SIGABRT', /panicked with a main\.reason/],
  ['panic-multiline', 'panic', 'SIGABRT', /panicked/],
  ['panic-struct', 'panic', 'SIGABRT', /panicked with main\.point \{x: 3, y: 4\}/],
  ['panic-pointer', 'panic', 'SIGABRT', /panicked with \*main\.job \{id: 7\}/],
  ['panic-nested', 'panic', 'SIGABRT', /An earlier panic/],
  ['panic-in-defer', 'panic', 'SIGABRT', /An earlier panic \(first\)/],
  ['panic-repanicked', 'panic', 'SIGABRT', /was recovered, and then it panicked again/],
  ['panic-recovered-then-new', 'panic', 'SIGABRT', /An earlier panic \(inner\) was recovered/],
  ['panic-after-recovered', 'panic', 'SIGABRT', /./],
  ['panic-goexit', 'panic', 'SIGABRT', /./],
  ['panic-nil', 'panic', 'SIGABRT', /./],
  ['panic-in-error-method', 'fatal', 'SIGABRT', /^main\.broken\.Error .* in the Error or String method/],
  [
    'error-nil-deref',
    'panic',
    'SIGSEGV',
    /used a nil pointer or interface, 24 bytes into what it should point to/,
  ],
  [
    'error-nil-map',
    'panic',
    'SIGABRT',
    /^main\.\(\*cache\)\.put \(main\.go:\d+\) wrote to a map that was never made/,
  ],
  ['error-index', 'panic', 'SIGABRT', /used index 5 where 2 is the last/],
  ['error-slice-bounds', 'panic', 'SIGABRT', /beyond its bounds/],
  ['error-divide', 'panic', 'SIGABRT', /divided by zero/],
  [
    'error-type-assertion',
    'panic',
    'SIGABRT',
    /asserted main\.kelvin of an interface that holds main\.celsius/,
  ],
  ['error-missing-method', 'panic', 'SIGABRT', /which has no method Close/],
  ['error-unhashable', 'panic', 'SIGABRT', /as a map key/],
  ['error-closed-channel', 'panic', 'SIGABRT', /closed already/],
  ['error-fault-panics', 'panic', 'SIGSEGV', /SetPanicOnFault/],
  ['fatal-map-writes', 'fatal', 'SIGABRT', /used the same map at once/],
  ['fatal-deadlock', 'fatal', 'SIGABRT', /^No goroutine can ever go on: .* at main\.transfer/],
  ['fatal-stack-overflow', 'fatal', 'SIGABRT', /calls itself without end/],
  ['fatal-out-of-memory', 'fatal', 'SIGABRT', /no more memory/],
  ['fatal-unlock', 'fatal', 'SIGABRT', /^main\.\S+ \(main\.go:\d+\) unlocked a mutex that was not locked/],
  ['fatal-runlock', 'fatal', 'SIGABRT', /^main\.\S+ \(main\.go:\d+\) released a read lock/],
  ['fatal-fault', 'fatal', 'SIGSEGV', /touched memory at address 0x[0-9a-f]+ that it may not touch \(SEGV_/],
  ['asm-illegal', 'signal', 'SIGILL', /does not know/],
  ['signal-trap', 'signal', 'SIGTRAP', /breakpoint/],
  ['signal-self', 'signal', 'SIGABRT', /sent its own process SIGABRT/],
  ['signal-quit', 'killed', 'SIGQUIT', /^Process \d+ \(user 0\) sent it SIGQUIT/],
  ['signal-abort', 'killed', 'SIGABRT', /^Process \d+ \(user 0\) sent it SIGABRT/],
  ['signal-segv-outside', 'killed', 'SIGSEGV', /^Process \d+ \(user 0\) sent it SIGSEGV/],
  ['run-busy-quit', 'killed', 'SIGQUIT', /sent it SIGQUIT.* At that moment \d+ goroutines? (was|were) /],
  [
    'frame-defer-open-coded',
    'killed',
    'SIGQUIT',
    /had panicked \(leaving\) and was still in its deferred calls/,
  ],
  ['cgo-segv', 'signal', 'SIGSEGV', /^(A call of )?length \(in C, .*called from main\.measure.*null pointer/],
  ['cgo-abort', 'signal', 'SIGABRT', /called from main\..*called abort\(\)/],
  ['cgo-quit', 'killed', 'SIGQUIT', /sent it SIGQUIT/],
]

/** Before Go 1.21 a fault in C code was thrown, not reported as a signal (golang/go#56541 and kin). */
const older: Readonly<Record<string, Readonly<Record<string, [DeathKind, string]>>>> = {
  '1.19': { 'cgo-segv': ['fatal', 'SIGSEGV'] },
}

/** What the other cells measure: one of each kind. */
const few = [
  ...[
    'panic-string',
    'panic-custom-error',
    'panic-float',
    'panic-struct',
    'panic-repanicked',
    'panic-multiline',
  ],
  ...['error-nil-deref', 'error-index', 'fatal-map-writes', 'fatal-deadlock', 'fatal-stack-overflow'],
  ...['signal-quit', 'signal-segv-outside', 'run-busy-quit', 'cgo-segv', 'cgo-abort'],
]

const cells: readonly [string, string, readonly string[] | undefined][] = [
  ['1.26', 'full', undefined],
  ['1.19', 'stripped', few],
  ['1.22', 'full', few],
  ['1.24', 'pie', few],
  ['1.27', 'pie-stripped', few],
]

for (const [go, kind, only] of cells) {
  const chosen = ways.filter(([program]) => only?.includes(program) ?? true)
  test(`a death is told as the program told it, Go ${go} ${kind}`, { timeout: 600_000 }, async context => {
    const why = whyNoCrashes()
    if (why) return context.skip(why)
    using crashed = await crashPrograms(
      go,
      kind,
      chosen.map(([program]) => program),
    )
    if (!crashed) return context.skip(`Go ${go} is not to be had`)
    assert.ok(crashed.crashes.length >= chosen.length - 3, 'most programs leave a core')
    for (const crash of crashed.crashes) {
      const [program, kindOfDeath, signal, verdict] = chosen.find(([name]) => name === crash.program)!
      const [wantKind, wantSignal] = older[go]?.[program] ?? [kindOfDeath, signal]
      await context.test(program, () => {
        const report = reportOf(crash)
        const words = lastWords(crash)
        assert.equal(report.death.message, words[0])
        assert.equal(report.death.kind, wantKind)
        assert.equal(report.death.signalName, wantSignal)
        const own = wantKind === 'signal' || wantKind === 'killed' ? words.slice(0, 1) : words
        // What another goroutine prints once the first has begun to die is kept nowhere: the same line, as a rule.
        assert.deepEqual([...new Set(report.death.lines)], [...new Set(own)])
        if (wantKind === kindOfDeath) assert.match(report.death.verdict, verdict)
        assert.match(report.death.verdict, /\.$/)
        checkReport(report)
      })
    }
  })
}

/** What holds for every report. */
function checkReport(report: Report): void {
  const { death, goroutines, goroutineCount, goroutinesOmitted, groups, threads, signature } = report
  assert.equal(goroutines.length + goroutinesOmitted, goroutineCount)
  assert.equal(
    groups.reduce((sum, { count }) => sum + count, 0),
    goroutineCount,
  )
  if (death.goroutine !== undefined) assert.ok(goroutines.some(({ id }) => id === death.goroutine))
  if (death.thread !== undefined) assert.ok(threads.some(({ tid }) => tid === death.thread))
  assert.equal(threads[0]?.crashed, true)
  assert.match(signature.key, /^[0-9a-f]{16}$/)
  assert.deepEqual(report.warnings, [])
}
