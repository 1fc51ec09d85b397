/** One attempt to deliver one event: a program without a shell, or a post with a signature. */
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import type { HookEvent } from '../../config/index.ts'
import type { CrashEvent } from './crash-event.ts'

/** `give-up`: another attempt would end the same way. */
export type Delivery = { state: 'done' } | { state: 'again' | 'give-up'; reason: string }

const order: readonly HookEvent[] = ['regression', 'new-signature', 'crash']
const commandMs = 60_000
const postMs = 10_000

/** Runs a program with the event on its standard input; its own output goes to the log. */
export function runHook(argv: readonly string[], event: CrashEvent, timeout = commandMs): Promise<Delivery> {
  const [program, ...rest] = argv as [string, ...string[]]
  const telling = order.find(name => event.events.includes(name)) ?? 'crash'
  const child = spawn(program, rest, {
    stdio: ['pipe', 'inherit', 'inherit'],
    cwd: '/',
    env: {
      ...{ PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
      ...{ GOCORE_SINK_ID: event.id, GOCORE_SINK_EVENT: telling },
    },
    // A group of its own, so that what it has started ends with it.
    detached: true,
  })
  return new Promise(resolve => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It has ended this moment.
      }
    }, timeout)
    const end = (delivery: Delivery): void => {
      clearTimeout(timer)
      resolve(delivery)
    }
    child.on('error', error => end({ state: 'again', reason: error.message }))
    child.on('exit', (status, signal) => {
      if (status === 0) end({ state: 'done' })
      else if (isLate) end({ state: 'again', reason: `it took longer than ${timeout / 1000} s` })
      else end({ state: 'again', reason: signal ? `ended by ${signal}` : `status ${status}` })
    })
    // It may not want to read.
    child.stdin.on('error', () => {})
    child.stdin.end(`${JSON.stringify(event)}\n`)
  })
}

/** Posts the event; `key` signs it. */
export async function postEvent(
  url: string,
  event: CrashEvent,
  key: Buffer | undefined,
  timeout = postMs,
): Promise<Delivery> {
  const body = JSON.stringify(event)
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'gocore-sink',
        'X-Gocore-Sink-Event': event.id,
        ...(key ? { 'X-Gocore-Sink-Signature': signature(body, key) } : {}),
      },
      body,
    })
    // Nobody reads what it says; a connection is not held for it.
    await response.body?.cancel()
    const { status } = response
    if (response.ok) return { state: 'done' }
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429
    return { state: isFinal ? 'give-up' : 'again', reason: `status ${status}` }
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error & { code?: string } }
    return { state: 'again', reason: cause?.code ?? cause?.message ?? message }
  }
}

/** Seconds and HMAC-SHA256 of `SECONDS.BODY`: a post that somebody keeps can't be sent again later. */
export function signature(body: string, key: Buffer, seconds = Math.floor(Date.now() / 1000)): string {
  return `t=${seconds},sha256=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`
}
