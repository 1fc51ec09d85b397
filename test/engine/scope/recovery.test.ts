/** Values in the frames above the innermost, against what the program said that they were. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type Debugger, openDebugger } from '../../../src/engine/debugger.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { debugPrograms } from '../../support/debug-programs.ts'

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

for (const flags of [
  ['-O0', '-gdwarf-4'],
  ['-O2', '-gdwarf-5'],
  ['-O2', '-gdwarf-4'],
  ['-O1', '-gdwarf-5', '-fdebug-types-section'],
])
  test(`variables of C have the values that the program gave them, ${flags.join(' ')}`, {
    skip: skip ?? false,
  }, async t => {
    using programs = debugPrograms()
    const executable = programs.c('crashing', flags)
    if (executable === undefined) return t.skip('gcc does not build it')
    const core = join(dirname(executable), 'core')
    {
      using pattern = await takeCorePattern()
      pattern.set(core)
      spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0"', executable], { stdio: 'ignore' })
    }
    const dead = openDebugger(processOf({ core, executable }))
    // gcc puts what ends in abort() into a part of its own.
    const { frames } = dead.stack(dead.start()!)
    const deep = frames.find(({ function: name }) => /^deep\b/.test(name))!.function
    const text = (expression: string): string => look(dead, deep, expression).text
    assert.equal(text('vla'), 'int [3] [0,7,14]')
    assert.equal(text('r'), '99')
    assert.equal(text('calls'), '1')
    assert.equal(text('n.bits.a'), '1')
    assert.equal(text('n.bits.b'), '100')
    assert.equal(text('n.bits.c'), '-7')
    assert.equal(text('n.bits.d'), '123456789012')
    assert.equal(text('n.matrix[1][2]'), '6')
    assert.equal(text('n.u.f'), '2.5')
    assert.equal(text('n.in.y'), '8')
    assert.equal(text('n.name'), '"first"')
    // counter has 3 more from the inlined call, and 99 more.
    assert.equal(text('counter'), '144')
    // Optimised, it is only in what the C library says that it called main with, if that has debug information.
    for (const name of [deep, 'main'])
      assert.match(look(dead, name, 'argc').text, flags[0] === '-O0' ? /^1$/ : /^(1$|\(optimized out)/)
  })
