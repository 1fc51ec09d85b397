import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { tryProgram } from '../../src/install/trial.ts'

let program: string
before(() => {
  program = mkdtempSync(join(tmpdir(), 'trial-'))
  mkdirSync(join(program, 'bin'))
  writeFileSync(join(program, 'bin/node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 })
})
after(() => rmSync(program, { recursive: true }))

/** The product as it is built, with an addon that can't be loaded. */
function put(broken?: RegExp): void {
  const dist = join(program, 'dist')
  rmSync(dist, { recursive: true, force: true })
  cpSync(join(import.meta.dirname, '../../dist'), dist, { recursive: true })
  for (const name of readdirSync(dist)) if (broken?.test(name)) writeFileSync(join(dist, name), '')
}

test('tryProgram() has nothing against a program that is whole', () => {
  put()
  tryProgram(program)
})

test('tryProgram() leaves nothing behind', () => {
  const dist = join(program, 'dist')
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  const said = join(program, 'said')
  writeFileSync(
    join(dist, 'handler.cjs'),
    `require('fs').writeFileSync(${JSON.stringify(said)}, process.argv[process.argv.indexOf('--config') + 1])`,
  )
  writeFileSync(join(dist, 'cli.cjs'), 'process.exit(6)')
  assert.throws(() => tryProgram(program), /the command line: /)
  assert.equal(existsSync(dirname(readFileSync(said, 'utf8'))), false)
})

for (const [addon, why] of [
  ['lz4', /^SystemError: the handler: Error: \S+lz4-\w+\.node: file too short$/],
  ['xxhash', /^SystemError: the handler: Error: \S+xxhash-\w+\.node: file too short$/],
  ['linux', /^SystemError: the command line: .*catalog.*\.node: file too short$/],
] as const)
  test(`tryProgram() finds that the addon ${addon} is broken`, () => {
    put(new RegExp(`^${addon}-.*\\.node$`))
    assert.throws(() => tryProgram(program), why)
  })
