/** Descriptor 0, which must never be free. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLibc } from '../../src/handler/libc.ts'

const source = join(import.meta.dirname, '../../src/handler/standard-input.ts')
const script = `
import { readFileSync, readlinkSync } from 'node:fs'
const { closeStandardInput, takeStandardInput } = await import(${JSON.stringify(source)})
const fd = takeStandardInput()
const at = readlinkSync('/proc/self/fd/0')
const text = readFileSync(fd, 'utf8')
closeStandardInput(fd)
console.log(JSON.stringify([fd > 2, at, text, readlinkSync('/proc/self/fd/0')]))
`
const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
const moved = [true, '/dev/null', 'a core', '/dev/null']

test('takeStandardInput() puts /dev/null in the place of whatever the core comes from', {
  skip: openLibc() === undefined ? 'no node:ffi' : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'standard-input-'))
  try {
    const file = join(folder, 'core')
    writeFileSync(file, 'not of it, a core')
    // A socket, a pipe, and a file of which a part was read.
    const socket = spawnSync(process.execPath, node, { input: 'a core' })
    const shell = (text: string): string =>
      execFileSync('/bin/sh', ['-c', text, process.execPath, ...node], { encoding: 'utf8' })
    const pipe = shell('printf "a core" | "$0" "$@"')
    const part = shell(`{ dd bs=11 count=1 of=/dev/null 2>/dev/null; "$0" "$@"; } < ${file}`)
    for (const said of [String(socket.stdout), pipe, part]) assert.deepEqual(JSON.parse(said), moved)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
