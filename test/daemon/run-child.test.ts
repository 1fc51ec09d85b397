import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** Takes all file descriptors but a few, and starts a child. */
const script = `
  import { closeSync, openSync } from 'node:fs'
  import { runChild } from '${import.meta.resolve('../../src/daemon/run-child.ts')}'
  const taken = []
  try { for (;;) taken.push(openSync('/dev/null')) } catch {}
  taken.splice(0, 3).forEach(fd => closeSync(fd))
  const limits = { timeoutMs: 5000, memory: 2 ** 30, output: 100 }
  const end = await runChild({ command: ['/bin/true'], env: {}, input: '', ...limits })
  taken.forEach(fd => closeSync(fd))
  console.log(JSON.stringify(end))
`

test('runChild() answers that there is no child where there are no file descriptors for it', () => {
  const { stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8', timeout: 60_000 },
  )
  assert.equal(stdout, '{"kind":"unstartable","error":"spawn /bin/true EMFILE"}\n', stderr)
})
