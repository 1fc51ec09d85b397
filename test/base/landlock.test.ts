import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSystemCalls } from '../../src/base/system-calls.ts'

const version = openSystemCalls()?.call('landlock_create_ruleset', 0, 0, 1) ?? -1
const skip = version < 1 ? 'this kernel has no Landlock' : false
const landlock = JSON.stringify(join(import.meta.dirname, '../../src/base/landlock.ts'))

test('landlockAll() takes every file and port that is not open', { skip }, () => {
  const script = `import * as fs from 'node:fs'
import { landlockAll } from ${landlock}
const open = fs.openSync('/etc/passwd')
const before = fs.readdirSync('/').length
if (!landlockAll()) throw new Error('no Landlock')
const code = action => { try { action(); return 'done' } catch (error) { return error.code } }
console.log(JSON.stringify([
  before > 0, fs.readSync(open, Buffer.alloc(4)), code(() => fs.openSync('/etc/passwd')), code(() => fs.readdirSync('/')),
  code(() => fs.writeFileSync('/tmp/landlocked-' + process.pid, '')), code(() => fs.mkdirSync('/tmp/landlocked-' + process.pid)),
  code(() => process.kill(process.ppid, 0)),
]))`
  const run = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(run.status, 0, run.stderr)
  const refused = ['EACCES', 'EACCES', 'EACCES', 'EACCES']
  assert.deepEqual(JSON.parse(run.stdout), [true, 4, ...refused, version < 6 ? 'done' : 'EPERM'])
})
