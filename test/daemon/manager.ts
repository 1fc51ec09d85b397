/** A service manager's end of sd_notify(3). */
import { type ChildProcess, spawn } from 'node:child_process'
import { after } from 'node:test'
import { until } from './running.ts'

/** Listens as systemd does, and prints each datagram with the sender's pid as JSON. */
const listener = `
import json, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name[0] == '@' else name)
print('ready', flush=True)
while True:
    data, anc, _, _ = s.recvmsg(4096, 1024)
    pid = struct.unpack('iII', anc[0][2])[0]
    print(json.dumps([pid, data.decode()]), flush=True)
`

export async function listen(
  name: string,
): Promise<{ heard: () => [pid: number, text: string][]; process: ChildProcess }> {
  const process_ = spawn('python3', ['-c', listener, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  after(() => process_.kill())
  let text = ''
  process_.stdout!.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  await until(
    () => text.startsWith('ready\n'),
    () => 'no listener',
  )
  const lines = (): string[] => text.split('\n').slice(1, -1)
  return { heard: () => lines().map(line => JSON.parse(line) as [number, string]), process: process_ }
}
