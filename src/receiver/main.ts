/**
 * `receiver.js [--config FILE] [--listen PATH]`: takes dumps over the coredump socket, core_pattern `@@/path` (Linux 6.17 and
 * later). The socket is systemd's (LISTEN_FDS, sd_listen_fds(3)) or its own.
 *
 *     receiver            starts the others, and passes connections on; it reads nothing that comes from outside
 *     receiver --door     without root's powers: meets the kernel, keeps the line
 *     receiver --standby  a handler with the powers that it takes, for one dump
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPowerless } from '../base/capabilities.ts'
import { makePath } from '../base/directory.ts'
import { reasonOf } from '../base/errors.ts'
import { forgoDumps } from '../base/undumped.ts'
import { type GateLimits, gateLimits, loadConfigOrDefaults } from '../config/index.ts'
import { KernelLog } from '../handler/log.ts'
import { Crew, speaks, startPart } from './crew.ts'
import { type DoorLine, type DoorNews, type DoorState, doorArgument, keepDoor } from './door.ts'
import { openSocketLibc } from './libc.ts'
import { type Handle, type StandbyOrder, standBy, standbyArgument } from './standby.ts'

/** Handlers that stand by: 50 MB each. */
const spare = 2
/** Milliseconds in which the door is to be open. */
const opening = 10_000
/** sd_listen_fds(3). */
const firstPassed = 3

const log = new KernelLog()
const libc = openSocketLibc()
forgoDumps()

if (libc === undefined) fail('the coredump socket takes Node 26 with node:ffi')
else if (process.argv[2] === standbyArgument) standBy(libc)
else if (process.argv[2] === doorArgument) keepDoor(libc)
else lead()

function lead(): void {
  const { values } = parseArgs({ options: { config: { type: 'string' }, listen: { type: 'string' } } })
  const isPassed = process.env.LISTEN_FDS === '1' && process.env.LISTEN_PID === String(process.pid)
  if (!isPassed && values.listen === undefined) {
    fail('no socket was passed, and --listen names none')
    return
  }
  const script = process.argv[1]!
  let isOver = false
  const limits = (): GateLimits => gateLimits(loadConfigOrDefaults(values.config).config)
  const tell = (news: Omit<DoorNews, 'limits'>): void => {
    if (door.connected) door.send({ ...news, limits: limits() })
  }
  const crew = new Crew({
    script,
    spare,
    tickets: ticketsIn(loadConfigOrDefaults(values.config).config.run),
    onDone: ({ place }) => tell({ done: place }),
    onError: why => log.write('error', `receiver: ${why}`),
    onStill: pid => log.write('warning', `ENDED the handler ${pid}, which stood still while others waited`),
  })
  const door = startPowerless(() =>
    startPart(
      script,
      [doorArgument, '--limits', JSON.stringify(limits()), ...process.argv.slice(2)],
      isPassed ? [firstPassed] : [],
    ),
  )
  // Nobody is heard by one that hangs, nor by one that crashes before it forgoes its dump: that comes to its own door.
  void speaks(door, opening)
  door.on('message', (message: StandbyOrder | DoorLine | DoorState, handle) => {
    if ('line' in message) log.write(message.level, message.line)
    else if ('info' in message) void crew.hand(handle as unknown as Handle, message)
    else if (message.state === 'waiting') crew.lookAfter(Math.max(10, limits().longest / 4))
  })
  door.once('exit', code => {
    crew.close()
    if (isOver && code === 0) return
    log.write('error', 'receiver: the process at the door has ended')
    process.exitCode = 1
  })
  // Who waits is still served.
  process.once('SIGTERM', () => {
    isOver = true
    tell({ isOver: true })
  })
}

/** Where it can't be made, nobody tells whether a handler gets on, and none is ended. */
function ticketsIn(run: string): string {
  const directory = join(run, 'receiver')
  try {
    makePath(directory, 0o755)
  } catch (error) {
    log.write('warning', `receiver: cannot make ${directory}: ${reasonOf(error)}`)
  }
  return directory
}

function fail(why: string): void {
  log.write('error', `receiver: ${why}`)
  process.stderr.write(`gocore-sink receiver: ${why}\n`)
  process.exitCode = 1
}
