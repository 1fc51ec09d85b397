import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

interface Lock {
  packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>
}

const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')) as Lock

// npm leaves out what its registry does not offer, and then `npm ci` refuses the file.
test('package-lock.json names every optional package of every package', () => {
  for (const [path, { optionalDependencies }] of Object.entries(lock.packages))
    for (const name of Object.keys(optionalDependencies ?? {}))
      assert.ok(
        `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages,
        `${path} may need ${name}, which has no entry`,
      )
})

test('package-lock.json names no registry', () => {
  for (const [path, { resolved }] of Object.entries(lock.packages)) assert.equal(resolved, undefined, path)
})
