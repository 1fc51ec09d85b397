import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { accountSteps } from '../../src/install/accounts.ts'
import { findLayout, type Layout } from '../../src/install/layout.ts'
import { describeStep, runSteps } from '../../src/install/step.ts'

let folder: string
let path: string | undefined
// Names that no machine has.
const layout: Layout = (() => {
  const found = findLayout()
  const { settings } = found
  return {
    ...found,
    settings: { ...settings, group: 'no-such', analysis: { ...settings.analysis, user: 'no-such-user' } },
  }
})()

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accounts-'))
  path = process.env.PATH
  process.env.PATH = folder
})
afterEach(() => {
  process.env.PATH = path
  rmSync(folder, { recursive: true })
})

/** Programs that only tell what they were called with. */
const put = (...names: string[]): void => {
  for (const name of names)
    writeFileSync(join(folder, name), `#!/bin/sh\necho "\${0##*/} $*" >>${folder}/said\n`, { mode: 0o755 })
}

test('accountSteps() leaves the accounts to systemd-sysusers where it is there', () => {
  put('systemd-sysusers', 'groupadd', 'useradd')
  assert.deepEqual(accountSteps(layout, true).map(describeStep), [
    'run systemd-sysusers /etc/sysusers.d/gocore-sink.conf /etc/sysusers.d/gocore-sink-receiver.conf (group no-such and users no-such-user, gocore-sink-hooks, gocore-sink-receiver)',
  ])
})

for (const [programs, ...calls] of [
  [
    ['groupadd', 'useradd', 'addgroup', 'adduser'],
    /^groupadd -r no-such$/m,
    /^useradd -r -M -g no-such-user -d \/ -s \/\S+ no-such-user$/m,
  ],
  // Busybox.
  [
    ['addgroup', 'adduser'],
    /^addgroup -S no-such$/m,
    /^adduser -S -D -H -G no-such-user -h \/ -s \/\S+ no-such-user$/m,
  ],
] as const)
  test(`accountSteps() makes them without it, with ${programs.join(', ')}`, () => {
    put(...programs)
    runSteps(accountSteps(layout, false), { dryRun: false, say: () => {} })
    const said = readFileSync(join(folder, 'said'), 'utf8')
    for (const call of calls) assert.match(said, call)
  })

test('accountSteps() names the accounts to make where nothing can make them', () => {
  assert.throws(
    () => accountSteps(layout, false),
    /neither systemd-sysusers nor useradd nor adduser; make group no-such and users no-such-user, gocore-sink-hooks first/,
  )
})
