/** A crew without processes to be had: hands it three connections, and tells how it went. */
import { execFileSync } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Crew } from '../../src/receiver/crew.ts'
import type { Handle } from '../../src/receiver/standby.ts'

const connections = 3
const told = { done: 0, errors: [] as string[], closed: 0 }
const socket = join(process.argv[2]!, 'sock')
const crew = new Crew({
  script: join(import.meta.dirname, '../../src/receiver/main.ts'),
  spare: 0,
  tickets: process.argv[2]!,
  onDone: () => told.done++,
  onError: why => told.errors.push(why),
  onStill: () => {},
})
const info = { tgid: 1, pid: 1, uid: 0, gid: 0, signal: 11, dumpable: 1 } as const
const order = { info, comm: 'x', fact: 'a crash', time: 0, place: 0, waited: 0 }
const server = createServer({ pauseOnConnect: true }, (visit: Socket) =>
  crew.hand((visit as unknown as { _handle: Handle })._handle, order),
)
server.listen(socket, () => {
  execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=1:1'])
  for (let i = 0; i < connections; i++)
    connect(socket)
      .on('error', () => {})
      .on('close', () => {
        if (++told.closed === connections) setTimeout(tell, 500)
      })
      .resume()
})

function tell(): void {
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit())
}
