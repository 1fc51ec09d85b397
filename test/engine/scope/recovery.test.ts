/** Values in the frames above the innermost, against what the program said that they were. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Debugger, openDebugger } from '../../../src/engine/debugger.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'

const skip = whyNoCrashes()

/** The text of an expression in the frame of a function, and the notes of its place. */
function look(dead: Debugger, name: string, expression: string): { text: string; notes: readonly string[] } {
  const stack = dead.stack(dead.start()!)
  const frame = stack.frames.find(candidate => candidate.function === name)
  assert.ok(frame, `no frame of ${name}`)
  const variable = dead.evaluate(expression, { stack, frame })
  return { text: formatValue(dead.load(variable)), notes: variable.place.notes ?? [] }
}

for (const go of ['1.19', '1.24', '1.26'])
  test(`recoverRegister() finds what a call passed on, Go ${go}`, { skip: skip ?? false }, async t => {
    using crashed = await crashPrograms(go, 'full', ['frame-recovery'])
    if (!crashed) return t.skip(`no Go ${go}`)
    const [crash] = crashed.crashes
    const truth = /truth: b=(\S+) name=(\S+) n=(\d+) label=(\S+)/.exec(readFileSync(crash!.text, 'utf8'))
    assert.ok(truth)
    const [, b, name, n, label] = truth
    const dead = openDebugger(processOf(crash!))
    for (const frame of ['main.inner', 'main.outer', 'main.main'])
      assert.match(look(dead, frame, 'b').text, new RegExp(`^\\*?\\(?.*(${b}|${name}.*${n})`, 's'), frame)
    for (const frame of ['main.inner', 'main.outer']) {
      assert.equal(look(dead, frame, 'label').text, JSON.stringify(label), frame)
      assert.match(look(dead, frame, 'b.n').text, new RegExp(`^${n}$`), frame)
    }
    const [note] = look(dead, 'main.outer', 'label').notes
    assert.equal(note, 'from argument label of main.inner, unless that assigned to it')
  })
