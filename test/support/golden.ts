/** Golden text: what a command printed when somebody last read it. `--update` (or UPDATE_GOLDEN=1) writes it anew. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const folder = join(import.meta.dirname, '../golden')
const update = process.argv.includes('--update') || process.env.UPDATE_GOLDEN === '1'

/** Compares with test/golden/NAME, line by line in the message. */
export function assertGolden(name: string, text: string): void {
  const path = join(folder, name)
  if (update || !existsSync(path)) {
    assert.ok(update, `there is no ${path}; run with UPDATE_GOLDEN=1 and read what it writes`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return
  }
  assert.deepEqual(text.split('\n'), readFileSync(path, 'utf8').split('\n'), `${name} differs`)
}
