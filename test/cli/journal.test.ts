/** What the journal hears of deletions by hand. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { messageIds } from '../../src/daemon/monitor/journal.ts'
import { addDump, testArchive } from '../daemon/archive.ts'
import { until } from '../daemon/running.ts'
import { commandLine } from '../support/programs.ts'

const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(60)
for i in range(2): sys.stdout.buffer.write(s.recv(65536)); sys.stdout.flush()`

it('rm and gc by hand are told to the journal, with the dump and who did it', async context => {
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) return context.skip('no mount namespace of our own')
  using archive = testArchive()
  const { store, directory } = archive
  const [removed, old] = [0, 200].map(days =>
    addDump(store, { time: new Date(Date.now() - days * 24 * 3600e3) }),
  )
  const config = join(directory, 'conf')
  const places = [`ArchiveDirectory=${store.root}`, `StateDirectory=${directory}/state`]
  writeFileSync(config, [...places, `RuntimeDirectory=${directory}/run`, 'KeepFree=0\n'].join('\n'))
  const journal = join(directory, 'journal')
  mkdirSync(journal)
  const listener = spawn('python3', ['-c', receiver, join(journal, 'socket')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(listener, 'close')
  let heard = ''
  listener.stdout.on('data', (piece: Buffer) => {
    heard += piece
  })
  await until(
    () => existsSync(join(journal, 'socket')),
    () => 'nobody listens',
  )
  const script = `set -e
  mount -t tmpfs none /run; mkdir -p /run/systemd/journal; mount --bind ${journal} /run/systemd/journal
  "$0" "$1" --config ${config} rm -y ${removed!.id}
  "$0" "$1" --config ${config} gc`
  const run = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, commandLine], {
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stderr)
  await ended
  const user = process.getuid?.() === 0 ? 'root' : '\\S+'
  assert.match(heard, new RegExp(`^MESSAGE=Deleted dump ${removed!.id}: rm by ${user}$`, 'm'))
  assert.match(
    heard,
    new RegExp(`^MESSAGE=Deleted dump ${old!.id}: older than MaxAge=90d \\(gc by ${user}\\)$`, 'm'),
  )
  for (const ref of [removed, old]) assert.match(heard, new RegExp(`^GOCORE_SINK_ID=${ref!.id}$`, 'm'))
  assert.equal(heard.split(`MESSAGE_ID=${messageIds['dump-deleted']}`).length, 3)
})
