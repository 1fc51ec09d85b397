import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { openSystemCalls } from '../../src/base/system-calls.ts'

const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`

/** Runs a module's text; `input` is a shell's, and comes by a pipe. */
function run(text: string, input = ':'): string {
  const program = `import { readIdentityFile, useIdentities } from '${import.meta.dirname}/../../src/source/age.ts'
import { openSystemCalls } from '${import.meta.dirname}/../../src/base/system-calls.ts'
${text}`
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `{ ${input}; } | "$0" --disable-warning=ExperimentalWarning --input-type=module -e "$1"`].concat(
      process.execPath,
      program,
    ),
    { encoding: 'utf8' },
  )
  assert.equal(stderr, '')
  return stdout.trim()
}

test('readIdentityFile() reads what comes by a pipe to its end, in however many pieces', () => {
  const input = `printf AGE-SECRET; sleep 3; echo '${secret.slice(10)}'; echo '${secret}'`
  assert.equal(
    run(`console.log(readIdentityFile('/proc/self/fd/0').join(' '))`, input),
    `${secret} ${secret}`,
  )
})

test('useIdentities() keeps the process from being dumped, and its memory from who debugs it', {
  skip: openSystemCalls() === undefined && 'this Node has no node:ffi',
}, () => {
  const dumpable = `console.log(openSystemCalls().call('prctl', 3))`
  assert.equal(run(dumpable), '1')
  assert.equal(run(`useIdentities(['${secret}']); ${dumpable}`), '0')
})
