/**
 * `receiver.js [--config FILE] [--listen PATH] [--most N]`: takes dumps over the coredump socket, core_pattern `@@/path` (Linux 6.17
 * and later). The socket is systemd's (LISTEN_FDS, sd_listen_fds(3)) or its own.
 */
import { spawn } from 'node:child_process'
import { chmodSync, closeSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { reasonOf } from '../base/errors.ts'
import { KernelLog } from '../handler/log.ts'
import { openSocketLibc, type SocketLibc } from './libc.ts'
import { receive } from './receive.ts'

const { values } = parseArgs({
  options: { config: { type: 'string' }, listen: { type: 'string' }, most: { type: 'string' } },
})
/** Handlers at a time; beyond that a crash is refused before a byte of it is written. */
const mostAtOnce = Number(values.most ?? 16)
const log = new KernelLog()
const libc = openSocketLibc()
let atWork = 0

if (libc === undefined) fail('the coredump socket takes Node 26 with node:ffi')
else listen(libc)

function listen(calls: SocketLibc): void {
  const server = createServer({ pauseOnConnect: true }, socket => take(calls, socket))
  server.on('error', error => fail(`cannot listen: ${reasonOf(error)}`))
  if (process.env.LISTEN_FDS === '1' && process.env.LISTEN_PID === String(process.pid))
    server.listen({ fd: 3 })
  else if (values.listen === undefined) fail('no socket was passed, and --listen names none')
  else listenAt(server, values.listen)
  process.once('SIGTERM', () => server.close())
}

function listenAt(server: Server, path: string): void {
  rmSync(path, { force: true })
  // The kernel connects whatever the mode says; nobody else is to.
  server.listen(path, () => {
    chmodSync(path, 0o600)
    process.stdout.write(`listening at ${path}\n`)
  })
}

function take(calls: SocketLibc, socket: Socket): void {
  socket.on('error', () => {})
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  const received = receive(calls, fd, () =>
    atWork < mostAtOnce ? undefined : `refused, ${atWork} dumps are being stored`,
  )
  if (received.kind === 'core') hand(fd, received.pidfd, received.args)
  else log.write('warning', received.what)
  socket.destroy()
}

/** The socket becomes a handler's standard input; ours is closed at once, so that the handler's close frees the process. */
function hand(fd: number, pidfd: number, args: readonly string[]): void {
  const handler = join(
    import.meta.dirname,
    import.meta.url.endsWith('.ts') ? '../handler/main.ts' : 'handler.cjs',
  )
  const own = values.config === undefined ? [] : ['--config', values.config]
  atWork++
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', handler, ...own, '--', ...args],
    { cwd: '/', env: {}, stdio: [fd, 'ignore', 'ignore', pidfd] },
  )
  const done = (): void => {
    atWork--
  }
  child.once('exit', done)
  child.once('error', error => {
    log.write('error', `could not start a handler: ${reasonOf(error)}`)
    done()
  })
  closeSync(pidfd)
}

function fail(why: string): void {
  log.write('error', `receiver: ${why}`)
  process.stderr.write(`gocore-sink receiver: ${why}\n`)
  process.exitCode = 1
}
