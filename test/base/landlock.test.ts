import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
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

test('landlockWrites() leaves reading as it is, and writing below one directory', {
  skip: version < 2 ? 'this kernel has no Landlock of version 2' : false,
}, () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'landlock-'))
  const script = `import * as fs from 'node:fs'
import { join } from 'node:path'
import { landlockWrites } from ${landlock}
const [own, other] = ['own', 'other'].map(name => join(${JSON.stringify(directory.path)}, name))
for (const at of [own, other, join(own, 'a'), join(own, 'b')]) fs.mkdirSync(at)
fs.symlinkSync(other, join(own, 'link'))
fs.writeFileSync(join(other, 'there'), 'x')
if (!landlockWrites(own)) throw new Error('no Landlock')
const code = action => { try { action(); return 'done' } catch (error) { return error.code } }
console.log(JSON.stringify([
  code(() => fs.readFileSync('/etc/passwd')), code(() => fs.writeFileSync(join(own, 'a/file'), 'x')),
  code(() => fs.renameSync(join(own, 'a/file'), join(own, 'b/file'))), code(() => fs.truncateSync(join(own, 'b/file'))),
  code(() => fs.writeFileSync(join(own, 'link/file'), '')), code(() => fs.renameSync(join(own, 'b/file'), join(other, 'file'))),
  code(() => fs.unlinkSync(join(own, 'link/there'))), code(() => fs.mkdirSync(join(other, 'd'))),
  code(() => fs.openSync(join(other, 'there'), 'r+')),
]))`
  const run = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  assert.match(run.stdout, /^\[/, run.stderr)
  const got = JSON.parse(run.stdout) as string[]
  assert.deepEqual(got.slice(0, 4), ['done', 'done', 'done', 'done'])
  for (const code of got.slice(4)) assert.match(code, /^(EACCES|EXDEV)$/)
})
