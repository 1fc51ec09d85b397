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

function runScenario(name: string): string {
  const script = join(import.meta.dirname, '../../scripts/testbed')
  const { status, stdout, stderr } = spawnSync(script, [name], { encoding: 'utf8', timeout: 9 * 60_000 })
  const maySkip = process.env.CI === undefined || process.env.CI === 'false'
  if (maySkip && /could not be had/.test(stderr)) return stderr
  assert.equal(status, 0, `${stdout}${stderr}`)
  assert.match(stdout, /^all is well$/m)
  return ''
}

for (const [what, scenario] of [
  ['install, a crash in a sandboxed service, show and uninstall under systemd', 'short'],
  ['the same by the coredump socket, which a later kernel has', 'socket-short'],
] as const)
  test(what, { skip, timeout: 10 * 60_000 }, context => {
    const missing = runScenario(scenario)
    if (missing !== '') context.skip(missing)
  })
