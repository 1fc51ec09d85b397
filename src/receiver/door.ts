/**
 * The part of the receiver that meets whoever comes: a process of its own, without any of root's powers, that hears the
 * kernel's questions, keeps the line and sends away who can't be served. Whom it lets in it passes on.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { reasonOf } from '../base/errors.ts'
import { refuseCalls } from '../base/seccomp.ts'
import { rangeOf } from '../base/subordinate-ids.ts'
import { foreignCalls } from '../base/system-calls.ts'
import { type GateLimits, gateLimits, loadConfig } from '../config/index.ts'
import { KernelLog, type Level } from '../handler/log.ts'
import type { SocketLibc } from './libc.ts'
import { Line } from './line.ts'
import { Places } from './places.ts'
import { type Crash, coreLimitOf, markedBy, meet, refuse, refusedText } from './receive.ts'
import type { Handle, StandbyOrder } from './standby.ts'

/** The first argument of such a process, which runs the same file as the receiver. */
export const doorArgument = '--door'

/** What the receiver tells it. */
export interface DoorNews {
  /** As the configuration says, for a door that may not read it. */
  readonly limits: GateLimits
  /** Whose handler has ended. */
  readonly done?: number
  /** Nobody else is let in; who waits is still served. */
  readonly isOver?: true
}

/** What it tells the receiver beside orders: a line for the kernel log. */
export interface DoorLine {
  readonly level: Level
  readonly line: string
}

/** And, first of all, that it listens; each second that somebody waits; in the end that nobody does. */
export interface DoorState {
  readonly state: 'listening' | 'waiting' | 'over'
}

/** Milliseconds in which who waits is served by a receiver that is told to end: its unit's TimeoutStopSec= is longer. */
export const ending = 150_000
/** Each holds a descriptor, and in the kernel a process. */
const mostWaiting = 4096
/**
 * Milliseconds in which the kernel is to say what it wants, by a thread that may have to wait for a processor in a storm; less than
 * `ending`. And between two looks whether it has: the longer it takes, the fewer.
 */
const patience = 120_000
const betweenLooks = { first: 20, most: 500 }
/** Milliseconds between two looks whether the receiver is still there. */
const betweenParents = 200
/** Milliseconds in which the receiver takes what it is told, or has been ended. */
const underWay = 10_000
/** The socket that systemd passed. */
export const passedSocket = 4

interface Visit {
  readonly socket: Socket
  readonly crash: Crash
  /** The user, or all whom its user made: these take turns, and have places. */
  readonly range: number
  /** Milliseconds since the epoch. */
  readonly time: number
}

const handleOf = (socket: Socket): Handle => (socket as unknown as { _handle: Handle })._handle

export function keepDoor(calls: SocketLibc): void {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { config: { type: 'string' }, listen: { type: 'string' }, limits: { type: 'string' } },
  })
  const { config } = values
  const log = { write: writeByReceiver }
  let told = JSON.parse(values.limits ?? '{}') as GateLimits
  const limits = (): GateLimits => {
    try {
      return gateLimits(loadConfig(config))
    } catch {
      return told
    }
  }
  const places = new Places()
  let isOver = false
  /** Connections that have not spoken yet, and those on their way to the receiver. */
  let leaving = 0
  const unspoken = new Set<Socket>()
  /** The crashes that were passed on of late, and when. */
  let passedOn: { readonly fact: string; readonly at: number }[] = []

  const line = new Line<Visit>({
    most: mostWaiting,
    sendAway: (visit, waited) =>
      sendAway(
        visit,
        waited > 0
          ? `it waited ${(waited / 1000).toFixed(0)} s for a handler, and ${isOver ? 'the receiver was to end' : 'others were before it'}`
          : `${mostWaiting} others were waiting for a handler`,
      ),
  })

  function sendAway({ socket, crash }: Visit, why: string): void {
    refuse(calls, handleOf(socket).fd)
    log.write('warning', refusedText(crash.fact, why))
    socket.destroy()
    leave()
  }

  function meetVisitor(socket: Socket): void {
    socket.on('error', () => {})
    leaving++
    unspoken.add(socket)
    hearOut(socket, performance.now())
  }

  /** Others are met while one has not spoken yet. */
  function hearOut(socket: Socket, since: number): void {
    const waited = performance.now() - since
    const over = waited >= patience ? 'the kernel did not ask for it in time' : undefined
    const crash = meet(calls, handleOf(socket).fd, over)
    if (crash === undefined) {
      const { first, most } = betweenLooks
      setTimeout(hearOut, Math.min(most, Math.max(first, waited / 10)), socket, since)
      return
    }
    leaving--
    unspoken.delete(socket)
    hear(socket, crash)
    leave()
  }

  function hear(socket: Socket, crash: Crash | string): void {
    if (typeof crash === 'string') {
      log.write('warning', crash)
      socket.destroy()
      return
    }
    const visit = { socket, crash, range: rangeOf(crash.info.uid), time: Date.now() }
    const mark = markedBy(coreLimitOf(crash.info.tgid))
    if (mark !== undefined) {
      sendAway(visit, mark)
      return
    }
    const { most, longest } = limits()
    serve(most)
    // Of those who still wait, none may.
    const isFree = places.hasFree(visit.range, most)
    // The fact first: of a crash that comes to nothing, nobody else would tell.
    log.write('notice', isFree ? crash.fact : `${crash.fact}, waits in line for at most ${longest} s`)
    if (isFree) admit(visit, 0)
    else line.add(visit.range, visit, 1000 * longest)
  }

  /** Lets in who waits and finds a place. */
  function serve(most: number): void {
    for (;;) {
      const next = line.next(range => places.hasFree(range, most))
      if (next === undefined) return
      admit(next.entry, next.waited)
    }
  }

  function admit({ socket, crash, range, time }: Visit, waited: number): void {
    const order: StandbyOrder = {
      ...{ ...crash, time, place: range },
      waited: Math.round(waited),
      ...(config === undefined ? {} : { config }),
    }
    places.take(range)
    const now = performance.now()
    passedOn = [...passedOn.filter(({ at }) => now - at < underWay), { fact: crash.fact, at: now }]
    leaving++
    const handle = handleOf(socket)
    // Node has a name for the handle's class alone.
    process.send?.(order, handle as unknown as Socket, undefined, error => {
      handle.close()
      leaving--
      socket.destroy()
      if (error !== null) log.write('error', `receiver: could not pass a connection on: ${reasonOf(error)}`)
      leave()
    })
  }

  function leave(): void {
    if (!isOver || line.length > 0 || leaving > 0) return
    // Behind the lines that are on their way.
    const state: DoorState = { state: 'over' }
    process.send?.(state, () => process.connected && process.disconnect?.())
  }

  /** The receiver was killed, and what it was told of it may not have read: of these crashes nobody else would tell. */
  function tellOfAll(): void {
    const why = 'the receiver has ended'
    for (const socket of unspoken) {
      const crash = meet(calls, handleOf(socket).fd, why)
      if (crash !== undefined)
        log.write('warning', typeof crash === 'string' ? crash : refusedText(crash.fact, why))
    }
    isOver = true
    line.clear()
    // A handler may have come of them all the same.
    for (const { fact, at } of passedOn)
      if (performance.now() - at < underWay) log.write('notice', `${fact}, told of again`)
  }

  const tellOfLine = (): void => {
    if (line.length > 0) tell({ state: 'waiting' })
  }
  setInterval(tellOfLine, 1000).unref()

  const server = createServer({ pauseOnConnect: true }, meetVisitor)
  server.on('error', error => {
    log.write('error', `receiver: cannot listen: ${reasonOf(error)}`)
    process.exit(1)
  })
  process.on('message', (news: DoorNews) => {
    told = news.limits
    if (news.done !== undefined) places.giveBack(news.done)
    serve(limits().most)
    if (!news.isOver || isOver) return
    isOver = true
    setTimeout(() => line.clear(), ending).unref()
    // Who is at the door already still comes in.
    setImmediate(() => {
      server.close()
      leave()
    })
  })
  const end = (): void => {
    const isKilled = !isOver
    if (isKilled) tellOfAll()
    process.exit(isKilled ? 1 : 0)
  }
  process.once('disconnect', end)
  // While a connection is on its way to a receiver that is killed, Node tells of no disconnection, and whoever came would be
  // met here and go nowhere.
  const receiver = process.ppid
  setInterval(() => process.ppid !== receiver && end(), betweenParents).unref()
  if (values.listen === undefined) server.listen({ fd: passedSocket }, open)
  else listenAt(server, values.listen)
}

/** The receiver may open the kernel log, which drops lines of who may not. What follows is passed on behind it. */
function writeByReceiver(level: Level, line: string): void {
  if (!tell({ level, line })) new KernelLog().write(level, line)
}

/** Whether there is a receiver to hear it. */
function tell(news: DoorLine | DoorState): boolean {
  if (process.connected) process.send?.(news)
  return process.connected
}

function listenAt(server: Server, path: string): void {
  // The kernel connects whatever the mode says; nobody else is to.
  process.umask(0o177)
  server.listen(path, open)
}

function open(): void {
  confine()
  tell({ state: 'listening' })
}

/** Takes from this process what it never does: programs, files' names, sockets of its own. */
function confine(): void {
  // libuv has its ring already.
  const done: readonly string[] = ['accept', 'accept4', 'io_uring_enter']
  refuseCalls([
    ...foreignCalls.filter(call => !done.includes(call)),
    ...(['socket', 'connect'] as const),
    ...(['kill', 'tgkill'] as const).map(call => ({ call, unless: { argument: 0, is: process.pid } })),
  ])
}
