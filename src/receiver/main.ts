/**
 * `receiver.js [--config FILE] [--listen PATH]`: takes dumps over the coredump socket, core_pattern `@@/path` (Linux 6.17 and
 * later). The socket is systemd's (LISTEN_FDS, sd_listen_fds(3)) or its own.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { reasonOf } from '../base/errors.ts'
import { gateLimits, loadConfigOrDefaults } from '../config/index.ts'
import { KernelLog } from '../handler/log.ts'
import { Crew } from './crew.ts'
import { openSocketLibc, type SocketLibc } from './libc.ts'
import { Line } from './line.ts'
import { accept, type Crash, meet, refuse } from './receive.ts'
import { standBy, standbyArgument } from './standby.ts'

/** Handlers that stand by: 50 MB each. */
const spare = 2
/** Each holds a descriptor, and in the kernel a process. */
const mostWaiting = 4096

const log = new KernelLog()
const libc = openSocketLibc()

if (libc === undefined) fail('the coredump socket takes Node 26 with node:ffi')
else if (process.argv[2] === standbyArgument) standBy(libc)
else receive(libc)

interface Visit {
  readonly socket: Socket
  readonly fd: number
  readonly crash: Crash
}

function receive(calls: SocketLibc): void {
  const { values } = parseArgs({ options: { config: { type: 'string' }, listen: { type: 'string' } } })
  const limits = (): { most: number; longest: number } =>
    gateLimits(loadConfigOrDefaults(values.config).config)

  const crew = new Crew({
    script: process.argv[1]!,
    spare,
    onDone: admitNext,
    onError: why => log.write('error', `receiver: ${why}`),
  })
  const line = new Line<Visit>({
    most: mostWaiting,
    sendAway({ socket, fd, crash }, waited) {
      refuse(calls, fd)
      const why =
        waited > 0
          ? `it waited ${(waited / 1000).toFixed(0)} s for a handler, and others were before it`
          : `${mostWaiting} others were waiting for a handler`
      log.write('warning', `REFUSED the core of ${crash.fact}: ${why}`)
      socket.destroy()
    },
  })

  function take(socket: Socket): void {
    socket.on('error', () => {})
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    const crash = meet(calls, fd)
    if (typeof crash === 'string') {
      log.write('warning', crash)
      socket.destroy()
      return
    }
    const { most, longest } = limits()
    if (crew.atWork < most && line.length === 0) admit({ socket, fd, crash }, 0)
    else line.add(crash.info.uid, { socket, fd, crash }, 1000 * longest)
  }

  function admit({ socket, fd, crash }: Visit, waited: number): void {
    const fields = accept(calls, fd, crash)
    if (fields === undefined) {
      log.write('warning', `LOST the core of ${crash.fact}: the process was gone before it had an answer`)
      socket.destroy()
      return
    }
    const { config } = values
    crew.hand(socket, { fields, waited: Math.round(waited), ...(config === undefined ? {} : { config }) })
  }

  function admitNext(): void {
    const { most } = limits()
    while (crew.atWork < most) {
      const next = line.next()
      if (next === undefined) return
      admit(next.entry, next.waited)
    }
  }

  const server = createServer({ pauseOnConnect: true }, take)
  server.on('error', error => fail(`cannot listen: ${reasonOf(error)}`))
  if (process.env.LISTEN_FDS === '1' && process.env.LISTEN_PID === String(process.pid))
    server.listen({ fd: 3 })
  else if (values.listen === undefined) {
    crew.close()
    fail('no socket was passed, and --listen names none')
  } else listenAt(server, values.listen)
  // Who waits is still served.
  process.once('SIGTERM', () => {
    server.close()
    crew.close()
  })
}

function listenAt(server: Server, path: string): void {
  rmSync(path, { force: true })
  // The kernel connects whatever the mode says; nobody else is to.
  server.listen(path, () => {
    chmodSync(path, 0o600)
    process.stdout.write(`listening at ${path}\n`)
  })
}

function fail(why: string): void {
  log.write('error', `receiver: ${why}`)
  process.stderr.write(`gocore-sink receiver: ${why}\n`)
  process.exitCode = 1
}
