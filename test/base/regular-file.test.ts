/** Files that somebody else has, or that are something else. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readRegularFile } from '../../src/base/regular-file.ts'

const place = mkdtempSync(join(tmpdir(), 'gocore-regular-'))
after(() => rmSync(place, { recursive: true }))

/** Has the file by a lease, as a server of NFS has for its clients, and gives it back so long after it was asked to. */
const lender = `
import fcntl, os, signal, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
signal.signal(signal.SIGIO, lambda *_: None)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('lent', flush=True)
signal.pause()
time.sleep(float(sys.argv[2]))
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
print('given back', flush=True)
`

describe('readRegularFile()', () => {
  it('waits for who has the file by a lease', async () => {
    const path = join(place, 'lent')
    writeFileSync(path, 'content')
    const lending = spawn('python3', ['-c', lender, path, '0.5'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    lending.stdout.on('data', piece => {
      said += piece
    })
    while (!said.includes('\n')) await once(lending.stdout, 'data')
    const ended = once(lending, 'exit')
    const began = performance.now()
    assert.equal(readRegularFile(path, 100), 'content')
    assert.ok(performance.now() - began > 400)
    await ended
    assert.equal(said, 'lent\ngiven back\n')
  })

  it('waits for no FIFO, and follows no link', () => {
    const [fifo, link] = [join(place, 'fifo'), join(place, 'link')]
    execFileSync('mkfifo', [fifo])
    symlinkSync(join(place, 'lent'), link)
    assert.throws(() => readRegularFile(fifo, 100), /not a regular file/)
    assert.throws(() => readRegularFile(link, 100), { code: 'ELOOP' })
    assert.throws(() => readRegularFile(join(place, 'lent'), 3), /7 bytes are more than 3/)
  })
})
