/** Deferred calls that were due, against the order in which the same program made them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { FrameVariables } from '../../../src/engine/scope/frame-variables.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'

const skip = whyNoCrashes() ?? false
const sources = join(import.meta.dirname, '../../programs')

const cells = [
  ...['1.19', '1.21', '1.22', '1.24', '1.26', '1.27'].map(go => [go, 'full'] as const),
  ['1.26', 'unoptimised'],
  ['1.19', 'unoptimised'],
] as const

for (const [go, kind] of cells)
  test(`deferredOf() is what would have run, Go ${go} ${kind}`, { skip }, async t => {
    using crashed = await crashPrograms(go, kind, ['frame-defers-due', 'frame-defers-range'])
    if (!crashed) return t.skip(`no Go ${go}`)
    assert.ok(crashed.crashes.length > 0)
    for (const crash of crashed.crashes) {
      const dead = openDebugger(processOf(crash))
      const waiting = [...dead.goroutines()].find(({ state }) => state.startsWith('select (no cases)'))
      assert.ok(waiting, crash.program)
      const { frames } = dead.stack({ kind: 'goroutine', id: waiting.id })
      const calls = dead.deferred(waiting.id)
      const source = readFileSync(join(sources, crash.program, 'main.go'), 'utf8').split('\n')

      /** What the call would print, as far as its line and what it captured tell. */
      const label = (call: (typeof calls)[number]): string | undefined => {
        assert.equal(basename(call.file), 'main.go')
        const line = source[call.line - 1]!
        const [, text, open] = /"due", "([^"]+)"(\+)?/.exec(line) ?? []
        if (text !== undefined && open === undefined) return text
        const entered = {
          ...frames[call.frame!]!,
          pc: call.pc,
          lookupPc: call.pc,
          closure: call.closure,
          cfa: 0,
        }
        const captured = new FrameVariables(dead.program, entered).find(open ? 'name' : 'i')
        const value = captured && formatValue(dead.load(captured)).replaceAll('"', '')
        if (open) return value === undefined || value.startsWith('(') ? undefined : text! + value
        if (line.includes('close()')) return 'open-method'
        if (line.includes('println("due", name)')) return 'open-captured'
        return undefined
      }
      const printed = [...readFileSync(crash.text, 'utf8').matchAll(/^due (\S+)$/gm)].map(match => match[1]!)
      // The goroutine itself ends with a call that prints nothing.
      const due = crash.program === 'frame-defers-due' ? calls.slice(0, -1) : calls
      assert.equal(due.length, printed.length, `${crash.program}: ${due.map(({ function: name }) => name)}`)
      for (const [i, call] of due.entries()) {
        const known = label(call)
        if (known !== undefined) assert.equal(known, printed[i], `${crash.program} ${call.function}`)
        const by = frames[call.frame!]
        assert.ok(by && call.function.startsWith(by.function.replace(/\[.*/, '')), call.function)
        assert.equal(call.number, due.slice(0, i).filter(({ frame }) => frame === call.frame).length + 1)
      }
      if (crash.program !== 'frame-defers-due') continue
      const known = due.map(label).filter(text => text !== undefined && !text.startsWith('loop-'))
      assert.deepEqual(
        known,
        printed.filter(text => !text.startsWith('loop-')),
      )
      // Go 1.23 and later write down what a closure captured.
      if (Number(go.split('.')[1]) >= 23) assert.deepEqual(due.map(label), printed)
    }
  })
