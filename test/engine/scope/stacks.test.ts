/** Frames of a stack that a signal was taken on, against what the runtime printed of it and what dlv makes of it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { crashPrograms, processOf, whyNoCrashes } from '../../support/crashed-programs.ts'

const skip = whyNoCrashes() ?? false
const programs = ['error-nil-deref', 'asm-segv']

/** Functions of goroutine 1 from sigpanic on, as the dying program printed them. */
function printed(file: string): string[] {
  const [, stack = ''] = readFileSync(file, 'utf8').split(/^goroutine 1 .*\n/m)
  const names = [...stack.split('\n\n')[0]!.matchAll(/^([^\s(].*)\([^()]*\)$/gm)].map(match => match[1]!)
  return names.slice(names.indexOf('runtime.sigpanic'))
}

for (const go of ['1.19', '1.26'])
  test(`stack() has every frame around a signal, Go ${go}`, { skip }, async t => {
    using crashed = await crashPrograms(go, 'full', programs)
    if (!crashed) return t.skip(`no Go ${go}`)
    assert.equal(crashed.crashes.length, programs.length)
    for (const { program, core, executable, text } of crashed.crashes) {
      const dead = openDebugger(processOf({ core, executable }))
      const { frames } = dead.stack(dead.start()!)
      const ours = frames.map(({ function: name }) => name)
      assert.deepEqual(ours.slice(ours.indexOf('runtime.sigpanic')), printed(text), program)
      for (const [i, { index }] of frames.entries()) assert.equal(index, i)

      if (spawnSync('dlv', ['version']).error) continue
      const { stdout } = spawnSync(
        'dlv',
        ['core', '--check-go-version=false', '--allow-non-terminal-interactive=true', executable, core],
        { input: 'bt\nexit\n', encoding: 'utf8', env: { ...process.env, TERM: 'dumb', NO_COLOR: '1' } },
      )
      const theirs = [...stdout.matchAll(/^ *\d+ {2}0x[0-9a-f]{16} in (\S+)$/gm)].map(match => match[1]!)
      assert.ok(theirs.length > 5, stdout)
      // dlv passes over the caller of a function without a frame that a signal interrupted: its numbers are lower then.
      const rest = ours[Symbol.iterator]()
      for (const name of theirs) {
        let found = rest.next()
        while (!found.done && found.value !== name) found = rest.next()
        assert.ok(!found.done, `${program}: dlv has ${name} where ours has it not: ${ours}`)
      }
    }
  })
