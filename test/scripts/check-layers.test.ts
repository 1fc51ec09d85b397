import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, refusal } from '../../scripts/check-layers.ts'

test('importsOf() finds static, type, bare, re-exporting and dynamic imports', () => {
  const text = `import a from 'one'
import type { B } from './two.ts'
import 'three'
export * from '../four.ts'
export {
  c,
} from './five.ts'
const six = await import('./six.ts')
`
  assert.deepEqual(importsOf(text), ['one', './two.ts', 'three', '../four.ts', './five.ts', './six.ts'])
})

const rows: [file: string, specifier: string, allowed: boolean][] = [
  ['engine/elf/file.ts', '../bytes/cursor.ts', true],
  ['engine/elf/file.ts', '../../base/errors.ts', true],
  ['engine/elf/file.ts', '../core/memory.ts', false],
  ['engine/debugger.ts', './expr/index.ts', true],
  ['engine/elf/file.ts', 'node:fs', false],
  ['engine/elf/file.ts', '../../base/atomic-file.ts', false],
  ['handler/main.ts', '../engine/index.ts', false],
  ['handler/main.ts', 'yargs', false],
  ['catalog/sqlite/driver.ts', '../../archive/manifest.ts', false],
  ['cli/main.ts', '../handler/capture.ts', false],
  ['cli/main.ts', '../engine/index.ts', true],
  ['cli/main.ts', '../engine/elf/file.ts', false],
]
for (const [file, specifier, allowed] of rows)
  test(`src/${file} ${allowed ? 'may' : 'may not'} import ${specifier}`, () => {
    assert.equal(refusal(file, specifier) === undefined, allowed)
  })
