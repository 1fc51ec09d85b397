import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Gate } from '../../src/install/gate.ts'
import { launcherText, launcherVersion } from '../../src/install/launcher.ts'

let folder: string
let launcher: string
const gateIn = (directory: string): Gate => ({ directory: join(directory, 'gate'), most: 1000, longest: 1 })
const said = (): { program: string; pid: number; args: string[]; config?: string } =>
  JSON.parse(readFileSync(join(folder, 'said'), 'utf8'))

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'))
  const version = join(folder, 'v')
  mkdirSync(join(version, 'bin'), { recursive: true })
  mkdirSync(join(version, 'dist'))
  // A Node that only starts Node: the launcher's own words are what is tested.
  writeFileSync(join(version, 'bin/node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 })
  for (const [program, file] of [
    ['handler', 'handler.cjs'],
    ['cli', 'cli.cjs'],
  ])
    writeFileSync(
      join(version, `dist/${file}`),
      `require('fs').writeFileSync(${JSON.stringify(join(folder, 'said'))}, JSON.stringify({ program: '${program}', pid: process.pid, args: process.argv.slice(2), config: process.env.GOCORE_SINK_CONFIG }))`,
    )
  launcher = join(folder, 'gocore-sink')
  writeFileSync(launcher, launcherText({ version, config: '/x/y.conf', tell: true, gate: gateIn(folder) }))
  chmodSync(launcher, 0o755)
})
after(() => rmSync(folder, { recursive: true }))

const start = (args: string[], env: Record<string, string> = {}): number | null =>
  spawnSync(launcher, args, { env, stdio: 'ignore' }).status

test('the launcher starts the handler for what the kernel passes, each argument as it was', () => {
  for (const comm of [
    'server',
    'a b  c',
    '',
    '-rf',
    '$(touch /tmp/x)',
    '`id`',
    '\'"',
    '*',
    '\n\u001b[2J',
    '--config',
  ])
    for (const rest of [[], ['node-3', '77', '1', '-F3'], ['', '77', '1', '-F']]) {
      const fields = ['4242', '0', '0', '11', '1763900000', '18446744073709551615', comm, ...rest]
      assert.equal(start(fields), 0)
      const { program, args, pid } = said()
      assert.equal(program, 'handler')
      const ticket = join(folder, 'gate', `${pid}`)
      // Where the kernel log may be written.
      const told = args.includes('--told') ? ['--told'] : []
      assert.deepEqual(args, ['--ticket', ticket, ...told, '--config', '/x/y.conf', '--', ...fields])
    }
})

test('the launcher starts the command line for everything else', () => {
  for (const args of [[], ['ls'], ['--help'], ['12a', 'b'], ['', '1'], ['-1'], ['show', '7f3k']]) {
    assert.equal(start(args), 0)
    const { pid: _, ...rest } = said()
    assert.deepEqual(rest, { program: 'cli', args, config: '/x/y.conf' })
  }
  start(['ls'], { GOCORE_SINK_CONFIG: '/mine.conf' })
  assert.equal(said().config, '/mine.conf')
})

test('the launcher takes a number alone for a forgotten verb, and fewer fields than seven only as old kernels pass them', () => {
  for (const args of [['7227'], ['7227', '--json'], ['42', '0', '0', '11', '1']]) {
    assert.equal(start(args), 0)
    assert.deepEqual({ program: said().program, args: said().args }, { program: 'cli', args })
  }
  // Linux before 5.3, a thread with an empty name.
  assert.equal(start(['4242', '0', '0', '11', '1763900000', '0']), 0)
  assert.equal(said().program, 'handler')
})

test('the launcher works with closed descriptors 1 and 2, as the kernel starts it', () => {
  const { status } = spawnSync('/bin/sh', ['-c', 'exec env -i "$0" 4242 0 0 11 1 0 x >&- 2>&-', launcher])
  assert.equal(status, 0)
  assert.equal(said().program, 'handler')
})

test('launcherVersion() finds the version in what launcherText() wrote, and nothing elsewhere', () => {
  const paths = {
    version: '/usr/local/lib/gocore-sink/versions/1-a',
    config: '/etc/gocore-sink.conf',
    gate: gateIn('/run/gocore-sink'),
  }
  assert.equal(launcherVersion(launcherText({ ...paths, tell: false })), paths.version)
  assert.equal(launcherVersion(launcherText({ ...paths, tell: true })), paths.version)
  assert.equal(launcherVersion('#!/bin/sh\necho hello\n'), undefined)
})
