/** Readers that are added by several processes at a time. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const acl = join(import.meta.dirname, '../../src/base/acl.ts')
const skip = process.getuid?.() !== 0 ? 'needs root' : false

/** Adds so many readers, from `first` on, one after the other. */
const script = (path: string, first: number, count: number, mode = '0o640'): string => `
  import { closeSync, openSync } from 'node:fs'
  import { addReader } from '${acl}'
  for (let n = 0; n < ${count}; n++) {
    const fd = openSync('${path}', 'r')
    if (!addReader(fd, ${mode}, ${first} + n)) process.exitCode = 1
    closeSync(fd)
  }`

const run = (text: string): ReturnType<typeof spawn> =>
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', text], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })

const mayRead = (path: string, uid: number): boolean =>
  spawnSync('cat', [path], { uid, gid: uid }).status === 0

async function together(scripts: readonly string[]): Promise<void> {
  const ends = await Promise.all(scripts.map(text => once(run(text), 'exit')))
  for (const [status] of ends) assert.equal(status, 0)
}

function withFile(work: (path: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync('/var/tmp/gocore-acl-')
    try {
      spawnSync('chmod', ['755', directory])
      const path = join(directory, 'file')
      writeFileSync(path, 'text', { mode: 0o640 })
      await work(path)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
}

test(
  'four processes that add readers at once undo none of each other’s',
  { skip },
  withFile(async path => {
    await together([0, 1, 2, 3].map(n => script(path, 61_000 + 100 * n, 15)))
    for (let n = 0; n < 60; n++) assert.ok(mayRead(path, 61_000 + 100 * (n % 4) + (n >> 2)), String(n))
    assert.ok(!mayRead(path, 60_999))
  }),
)

test(
  'a user who holds the lock of a file keeps nobody out',
  { skip },
  withFile(async path => {
    spawnSync('chmod', ['644', path])
    for (const kind of ['-s', '-x']) {
      const holder = spawn('flock', [kind, path, 'sh', '-c', 'echo held; exec sleep 60'], {
        ...{ uid: 61_234, gid: 61_234, detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
      })
      try {
        await once(holder.stdout!, 'data')
        const began = performance.now()
        await together([script(path, kind === '-s' ? 61_001 : 61_002, 1, '0o644')])
        assert.ok(performance.now() - began < 10_000)
      } finally {
        process.kill(-holder.pid!)
      }
    }
    spawnSync('chmod', ['o=', path])
    assert.ok(mayRead(path, 61_001) && mayRead(path, 61_002))
  }),
)
