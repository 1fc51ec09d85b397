/** A C program with Go inside: the deaths of both halves, through the kernel. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '../../../src/engine/index.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { reportOf, whyNoCrashes } from '../../support/crashed-programs.ts'

const source = join(import.meta.dirname, '../../programs-c/archive')

const ways: readonly [string, (report: Report) => void][] = [
  [
    'go',
    ({ death }) => {
      assert.equal(death.message, 'panic: runtime error: index out of range [3] with length 0')
      assert.match(death.verdict, /^main\.Pick \(lib\.go:10\) indexed something empty with 3\.$/)
      assert.deepEqual(death.lines, [death.message])
    },
  ],
  [
    'c',
    ({ death, threads }) => {
      assert.equal(death.kind, 'signal')
      assert.equal(death.signalName, 'SIGSEGV')
      assert.equal(death.address, '0x0')
      assert.match(death.verdict, /^poke \(in C, main\.c:7\) used a null pointer/)
      assert.deepEqual(
        threads[0]?.frames.slice(0, 2).map(frame => frame.function),
        ['poke', 'main'],
      )
    },
  ],
  [
    'thread',
    ({ death, threads }) => {
      assert.equal(death.kind, 'signal')
      assert.equal(death.signalName, 'SIGSEGV')
      assert.equal(death.goroutine, undefined)
      assert.match(death.verdict, /^poke \(in C, main\.c:7\) used a null pointer/)
      assert.deepEqual(
        threads[0]?.frames.slice(0, 2).map(frame => frame.function),
        ['poke', 'elsewhere'],
      )
    },
  ],
]

test('both halves of a C program with Go inside are told apart', { timeout: 600_000 }, async context => {
  const why = whyNoCrashes()
  if (why) return context.skip(why)
  if (spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status !== 0) return context.skip('needs gcc')
  const dir = mkdtempSync(join(tmpdir(), 'gocore-sink-archive-'))
  try {
    cpSync(source, dir, { recursive: true })
    const env = { ...process.env, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'off', CGO_ENABLED: '1' }
    execFileSync('go', ['build', '-buildmode=c-archive', '-o', 'lib.a', 'lib.go'], { cwd: dir, env })
    execFileSync('gcc', ['-g', '-O1', '-o', 'program', 'main.c', 'lib.a', '-pthread'], { cwd: dir })
    const executable = join(dir, 'program')
    {
      using pattern = await takeCorePattern()
      pattern.set(join(dir, 'core'))
      for (const [way] of ways) {
        spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0" "$1"', executable, way], {
          env: { GOTRACEBACK: 'crash' },
          stdio: 'ignore',
          timeout: 20_000,
        })
        renameSync(join(dir, 'core'), join(dir, `${way}.core`))
      }
    }
    for (const [way, check] of ways) {
      const report = reportOf({ core: join(dir, `${way}.core`), executable })
      assert.equal(report.program.language, 'go')
      assert.deepEqual(report.warnings, [])
      check(report)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
