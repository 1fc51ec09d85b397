import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { journalEntry, messageIds, sendToJournal } from '../../../src/daemon/monitor/journal.ts'
import { testArchive } from '../archive.ts'
import { until } from '../running.ts'

const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
sys.stdout.buffer.write(s.recv(65536))`

describe('the journal', () => {
  it('is told of an event with its id, and a dump adds no field of its own', async () => {
    using archive = testArchive()
    const path = join(archive.directory, 'journal')
    const listener = spawn('python3', ['-c', receiver, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(listener, 'exit')
    let heard = ''
    listener.stdout.on('data', (piece: Buffer) => {
      heard += piece
    })
    await until(
      () => existsSync(path),
      () => 'nobody listens',
    )
    const comm = 'a\nPRIORITY=0\n\x1b[31m'
    const entry = journalEntry(6, 'crash-recorded', `Dump x arrived: ${comm}`, {
      GOCORE_SINK_COMM: comm,
      NONE: undefined,
    })
    assert.equal(sendToJournal(entry, path), true)
    await ended
    assert.deepEqual(heard.split('\n'), [
      'MESSAGE=Dump x arrived: a\\x0aPRIORITY=0\\x0a\\x1b[31m',
      'PRIORITY=6',
      'SYSLOG_IDENTIFIER=gocore-sink',
      `MESSAGE_ID=${messageIds['crash-recorded']}`,
      'GOCORE_SINK_COMM=a\\x0aPRIORITY=0\\x0a\\x1b[31m',
      '',
    ])
  })

  it('that is not there is no trouble', () => {
    assert.equal(sendToJournal(Buffer.from('MESSAGE=x\n'), '/nowhere/journal'), false)
  })

  it('has an id for each event, and none twice', () => {
    const ids = Object.values(messageIds)
    assert.equal(new Set(ids).size, ids.length)
    const manual = readFileSync(new URL('../../../man/gocore-sink.7', import.meta.url), 'utf8')
    for (const id of ids) {
      assert.match(id, /^[0-9a-f]{32}$/)
      assert.ok(manual.includes(`.B ${id}\n`), `${id} is not in gocore-sink(7)`)
    }
  })
})
