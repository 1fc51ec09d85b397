/** The layout of this machine's Go, against the DWARF that its linker writes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StructTable } from '../../../src/engine/runtime/layouts/layout.ts'
import { newestMinor, oldestMinor } from '../../../src/engine/runtime/layouts/layout.ts'

/** Prints `struct field offset` of every field. */
const script = `
import gdb
def walk(name, type):
    for f in type.fields():
        print(name, f.name, f.bitpos // 8)
for name in NAMES:
    try:
        walk(name, gdb.lookup_type('runtime.' + name).strip_typedefs())
    except gdb.error:
        pass
`

function goMinor(): number | undefined {
  try {
    const text = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env: goEnv })
    return Number(/^go1\.(\d+)/.exec(text)?.[1])
  } catch {
    return undefined
  }
}

function haveGdb(): boolean {
  try {
    execFileSync('gdb', ['-nx', '-batch', '-ex', 'python print(1)'], { stdio: ['ignore', 'pipe', 'ignore'] })
    return true
  } catch {
    return false
  }
}

const goEnv = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '', CGO_ENABLED: '0', GOWORK: 'off' }
const minor = goMinor()
const known = minor !== undefined && minor >= oldestMinor && minor <= newestMinor
const skip = !known ? 'no Go of a known version' : !haveGdb() ? 'no gdb with Python' : false

test('the layout of this Go is that of its DWARF', { skip }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gocore-layout-'))
  try {
    writeFileSync(join(dir, 'go.mod'), `module layout\n\ngo 1.${minor}\n`)
    writeFileSync(join(dir, 'main.go'), 'package main\n\nfunc main() { println(recover()) }\n')
    execFileSync('go', ['build', '-o', 'prog', '.'], { cwd: dir, env: goEnv, stdio: 'ignore' })
    const module = await import(`../../../src/engine/runtime/layouts/go1.${minor}.ts`)
    const table = module[`go1_${minor}`] as StructTable
    const names = Object.keys(table).filter(name => name !== 'mEarlier')
    writeFileSync(join(dir, 'walk.py'), script.replace('NAMES', JSON.stringify(names)))
    const out = execFileSync('gdb', ['-nx', '-batch', '-x', join(dir, 'walk.py'), join(dir, 'prog')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const offsets = new Map(
      out
        .split('\n')
        .map(line => line.split(' '))
        .map(([struct, field, offset]) => [`${struct}.${field}`, Number(offset)]),
    )
    let compared = 0
    for (const struct of names) {
      for (const [field, offset] of Object.entries(table[struct]!)) {
        const dwarf = offsets.get(`${struct}.${field}`)
        // The linker leaves out types that the program does not reach.
        if (dwarf === undefined && ![...offsets.keys()].some(key => key.startsWith(`${struct}.`))) continue
        assert.equal(offset, dwarf, `${struct}.${field}`)
        compared++
      }
    }
    assert.ok(compared > 80, `${compared} fields compared`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
