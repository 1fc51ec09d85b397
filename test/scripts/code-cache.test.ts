import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const dist = join(import.meta.dirname, '../../dist')

test('V8 takes the code that the build has made of handler and command line', () => {
  for (const name of ['handler', 'cli-bundle']) {
    const bundle = `${name.replace('-bundle', '')}-bundle.cjs`
    // In a process that is started as they are: its flags count.
    const script = `const { readFileSync } = require('node:fs'); const { Script } = require('node:vm')
      const text = readFileSync('${dist}/${bundle}', 'latin1'), cachedData = readFileSync('${dist}/${name}.cache')
      console.log(new Script('(function(exports,require,module,__filename,__dirname){' + text + '\\n})', { cachedData }).cachedDataRejected)`
    const args = ['--disable-warning=ExperimentalWarning', '-e', script]
    assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim(), 'false', name)
  }
})
