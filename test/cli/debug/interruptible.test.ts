import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { Interrupted, interruptible } from '../../../src/cli/debug/interruptible.ts'

const module = join(import.meta.dirname, '../../../src/cli/debug/interruptible.ts')

/** Says when it begins, and what became of each piece of work. */
const program = `
import { writeSync } from 'node:fs'
import { interruptible } from ${JSON.stringify(module)}
for (const nested of [false, true])
  try {
    const endless = () => { writeSync(1, 'at work\\n'); for (;;) try { JSON.parse('{}') } finally { Date.now() } }
    interruptible(() => (nested ? interruptible(endless) : endless()))
  } catch (error) {
    writeSync(1, error.name + '\\n')
  }
writeSync(1, 'went on\\n')
`

test('interruptible() ends work that never looks up when SIGINT comes, and the program goes on', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let all = ''
  for await (const part of child.stdout.setEncoding('utf8')) {
    all += part
    if (part.includes('at work')) child.kill('SIGINT')
  }
  assert.equal(all, 'at work\nInterrupted\nat work\nInterrupted\nwent on\n')
})

test('interruptible() gives the value and throws what the work does, also one within another', () => {
  assert.equal(
    interruptible(() => interruptible(() => 20) + interruptible(() => 22)),
    42,
  )
  const error = new RangeError('mine')
  assert.throws(
    () =>
      interruptible(() => {
        throw error
      }),
    found => found === error && !(found instanceof Interrupted),
  )
})
