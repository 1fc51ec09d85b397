/** `info line` says what gdb says, of Go and of C. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { whyNoCrashes } from '../../support/crashed-programs.ts'
import { gdbAnswers, haveGdb } from '../../support/gdb-answers.ts'
import { runCli } from '../run-cli.ts'

const skip = whyNoCrashes() ?? (haveGdb() ? false : 'needs gdb')
const work = mkdtempSync(join(tmpdir(), 'gocore-info-line-'))
after(() => rmSync(work, { recursive: true, force: true }))
const releases = ['1.22.12', '1.26.8']

before(async () => {
  if (skip !== false) return
  copyFileSync(join(import.meta.dirname, '../../programs-cgo/main.go'), join(work, 'main.go'))
  writeFileSync(join(work, 'go.mod'), 'module gocore.test/cgo\n\ngo 1.22\n')
  for (const go of releases) {
    const env = { ...process.env, GOTOOLCHAIN: `go${go}`, CGO_ENABLED: '1', CGO_CFLAGS: '-g -O1' }
    const { status, stderr } = spawnSync('go', ['build', '-o', join(work, go), '.'], { cwd: work, env })
    assert.equal(status, 0, String(stderr))
  }
  using pattern = await takeCorePattern()
  pattern.set(join(work, 'core'))
  for (const go of releases) {
    spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0"', join(work, go)], {
      env: { GOTRACEBACK: 'crash' },
      cwd: work,
      stdio: 'ignore',
    })
    renameSync(join(work, 'core'), join(work, `${go}.core`))
  }
})

const queries = [
  ...Array.from({ length: 45 }, (_, n) => `info line main.go:${n + 1}`),
  ...['main.call', 'main.main', 'entry', 'deep', 'runtime.gopanic', 'runtime.mallocgc'].map(
    of => `info line ${of}`,
  ),
  ...[0, 1, 4, 9, 17, 30].flatMap(n => [`info line *(char *)&entry+${n}`, `info line *(char *)&deep+${n}`]),
  'info line main.go:9999',
]
/** Ours takes a name with an offset, gdb an expression of C; gdb names a file as the compiler was told it. */
const ours = (query: string): string => query.replace('(char *)&', '')
const plain = (answer: string): string => answer.trim().replace(/"[^"]*\//, '"')

for (const go of releases)
  test(`info line is gdb's, Go ${go}`, { skip }, () => {
    const [executable, core] = [join(work, go), join(work, `${go}.core`)]
    const theirs = gdbAnswers({ core, executable }, ['set language c', ...queries])!.slice(1)
    const commands = queries.flatMap(query => ['-c', ours(query)])
    const { stdout, stderr } = runCli(['debug', core, '--exe', executable, ...commands], {
      cwd: work,
      env: { HOME: work },
    })
    assert.equal(stderr, '')
    const answers = stdout.trimEnd().split('\n')
    assert.equal(answers.length, queries.length)
    const wrong = queries.flatMap((query, n) => {
      // A line in several functions has an answer for each; ours is the first.
      const [first = ''] = theirs[n]!.trim().split('\n')
      return plain(first) === plain(answers[n]!)
        ? []
        : [`${query}: gdb ${plain(first)}, we ${plain(answers[n]!)}`]
    })
    assert.deepEqual(wrong, [])
    assert.ok(theirs.filter(text => text.includes('starts at address')).length > 20)
  })
