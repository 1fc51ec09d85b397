import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { commandLine } from '../../support/programs.ts'

const root = mkdtempSync(join(tmpdir(), 'gocore-with-'))
after(() => rmSync(root, { recursive: true }))
const fixture = (name: string): string => join(import.meta.dirname, '../../fixtures/till', name)

for (const signal of ['SIGHUP', 'SIGTERM'] as const)
  test(`debug --with leaves nothing of what it unpacked when it is ended by ${signal}`, {
    timeout: 60_000,
  }, async () => {
    const [bin, tmp, exe] = ['bin', 'tmp', 'till'].map(name => join(root, name)) as [string, string, string]
    for (const directory of [bin, tmp]) mkdirSync(directory, { recursive: true })
    writeFileSync(join(bin, 'gdb'), '#!/bin/sh\necho started\nread line\n', { mode: 0o755 })
    writeFileSync(exe, zstdDecompressSync(readFileSync(fixture('till.zst'))))
    const args = ['debug', fixture('core.zst'), '--exe', exe, '--with', 'gdb']
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', commandLine, ...args], {
      env: { PATH: `${bin}:${process.env.PATH}`, HOME: '/nonexistent', TMPDIR: tmp },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      assert.equal(readdirSync(tmp).length, 1)
      child.kill(signal)
      assert.deepEqual(await once(child, 'exit'), [null, signal])
      assert.deepEqual(readdirSync(tmp), [])
    } finally {
      child.kill('SIGKILL')
      child.stdin.end()
    }
  })
