/** Frames of C that Go called, with their inlined calls and variables, against gdb's. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { fullLimits } from '../../../src/engine/value/value.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { processOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { askGdb, difference } from '../../support/gdb-values.ts'

const have = (command: string): boolean => spawnSync(command, ['--version']).status === 0
const skip = whyNoCrashes() ?? (have('gcc') && have('gdb') ? false : 'needs gcc and gdb')
const work = mkdtempSync(join(tmpdir(), 'gocore-cgo-'))
after(() => rmSync(work, { recursive: true, force: true }))

const go = '1.26.8'
const deaths = { 'a bad address': [], 'abort(3)': ['abort'] } as const
const levels = ['-O0', '-O2'] as const
const executableOf = (level: string): string => join(work, `cgo${level}`)
const coreOf = (level: string, death: string): string => join(work, `${level}-${death.length}.core`)
const limits = { ...fullLimits, depth: 32, items: 1000, follow: false }

before(async () => {
  if (skip !== false) return
  copyFileSync(join(import.meta.dirname, '../../programs-cgo/main.go'), join(work, 'main.go'))
  writeFileSync(join(work, 'go.mod'), `module gocore.test/cgo\n\ngo ${go.slice(0, 4)}\n`)
  for (const level of levels) {
    const env = { ...process.env, GOTOOLCHAIN: `go${go}`, CGO_ENABLED: '1', CGO_CFLAGS: `-g ${level}` }
    const { status, stderr } = spawnSync('go', ['build', '-o', executableOf(level), '.'], { cwd: work, env })
    assert.equal(status, 0, String(stderr))
  }
  using pattern = await takeCorePattern()
  for (const level of levels)
    for (const [death, args] of Object.entries(deaths)) {
      pattern.set(join(work, 'core'))
      const command = ['-c', 'ulimit -c unlimited; exec "$0" "$@"', executableOf(level), ...args]
      spawnSync('/bin/sh', command, { env: { GOTRACEBACK: 'crash' }, cwd: work, stdio: 'ignore' })
      renameSync(join(work, 'core'), coreOf(level, death))
    }
})

for (const level of levels)
  for (const death of Object.keys(deaths))
    test(`frames of C that Go called are gdb's, ${level}, ${death}`, { skip }, t => {
      const [executable, core] = [executableOf(level), coreOf(level, death)]
      const expressions = ['c_global', 'last', 'last.name', '&last']
      const theirs = askGdb(executable, core, expressions)
      if (!theirs) return t.skip('needs a gdb with Python')
      const debug = openDebugger(processOf({ core, executable }))
      const [tid, thread] = [...theirs].find(([, { frames }]) => frames.some(isOurs)) ?? []
      assert.ok(tid !== undefined && thread, 'gdb sees the frames of C')
      const stack = debug.stack({ kind: 'thread', tid })
      const ours = stack.frames.filter(frame => isOurs({ ...frame, known: true }))
      const known = thread.frames.filter(isOurs)
      assert.deepEqual(
        ours.map(frame => `${frame.function} ${frame.pc}:${frame.line} ${frame.inlined}`),
        known.map(frame => `${frame.function} ${Number(frame.pc)}:${frame.line} ${frame.inlined}`),
      )
      assert.ok(ours.some(frame => frame.function === 'entry'))
      const wrong: string[] = []
      known.forEach((frame, n) => {
        const variables = debug.variables(ours[n]!)
        for (const [name, { value }] of frame.variables) {
          const variable = variables.find(name)
          const found = variable ? difference(value, debug.load(variable, limits)) : ' we have none'
          if (found !== undefined) wrong.push(`${frame.function}: ${name}${found}`)
        }
      })
      for (const [text, value] of Object.entries(thread.values)) {
        assert.ok(!('error' in value), `${text} in gdb`)
        const found = difference(
          value.value,
          debug.load(debug.evaluate(text, { stack, frame: ours[0] }), limits),
        )
        if (found !== undefined) wrong.push(`${text}${found}`)
      }
      assert.deepEqual(wrong, [])
      // From a frame of Go, C's names are there by themselves, too.
      const caller = stack.frames.find(({ language }) => language === 'go')
      const bare = debug.load(debug.evaluate('c_global', { stack, frame: caller }))
      assert.equal(formatValue(bare), '78')
      assert.equal(formatValue(debug.load(debug.evaluate('ANGRY', { stack, frame: caller }))), 'ANGRY (7)')
    })

function isOurs({ function: name, known }: { readonly function: string; readonly known: boolean }): boolean {
  return known && ['poke', 'deep', 'entry'].includes(name)
}
