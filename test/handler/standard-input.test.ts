import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const module = join(import.meta.dirname, '../../src/handler/standard-input.ts')

/** Runs a program of a few lines with the pipe or file on its standard input; it prints JSON. */
function run(shell: string): { moved: boolean; before: string; read: string; after: string; closed: string } {
  const program = `
    import { readFileSync, readlinkSync } from 'node:fs'
    import { closeStandardInput, takeStandardInput } from ${JSON.stringify(module)}
    const fd = takeStandardInput()
    const before = readlinkSync('/proc/self/fd/0')
    const read = readFileSync(fd, 'latin1')
    closeStandardInput(fd)
    let closed = 'closed'
    try { closed = readlinkSync('/proc/self/fd/' + fd) } catch {}
    console.log(JSON.stringify({ moved: fd > 2, before, read, after: readlinkSync('/proc/self/fd/0'), closed }))`
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, 'sh', process.execPath, program], {
    encoding: 'utf8',
  })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

test('takeStandardInput() moves a pipe, and number 0 is never free for a thread to get', () => {
  const { moved, before, read, after } = run(
    'echo core | "$1" --no-warnings --input-type=module-typescript -e "$2"',
  )
  assert.deepEqual(
    { moved, before, read, after },
    { moved: true, before: '/dev/null', read: 'core\n', after: '/dev/null' },
  )
})

test('takeStandardInput() leaves a file where it is; once closed, /dev/null is in its place', () => {
  const { moved, read, after } = run(
    '"$1" --no-warnings --input-type=module-typescript -e "$2" < /proc/sys/kernel/ostype',
  )
  assert.deepEqual({ moved, read, after }, { moved: false, read: 'Linux\n', after: '/dev/null' })
})
