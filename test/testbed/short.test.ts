/** The units under a real systemd, in a machine of its own: the short form of `scripts/testbed`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

const skip =
  process.getuid?.() !== 0
    ? 'a machine of its own takes root'
    : process.arch !== 'x64'
      ? 'User-mode Linux is packaged for amd64 only'
      : existsSync('/usr/bin/linux.uml') || has('apt-get')
        ? false
        : 'User-mode Linux is not installed'

test('install, a crash in a sandboxed service, show and uninstall under systemd', {
  skip,
  timeout: 10 * 60_000,
}, () => {
  const script = join(import.meta.dirname, '../../scripts/testbed')
  const { status, stdout, stderr } = spawnSync(script, ['short'], { encoding: 'utf8', timeout: 9 * 60_000 })
  assert.equal(status, 0, `${stdout}${stderr}`)
  assert.match(stdout, /^all is well$/m)
})
