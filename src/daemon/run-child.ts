/** Runs one confined child to its end, whatever it does: bounded in time, memory and output, never in the way. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { reasonOf } from '../base/errors.ts'
import { forgoRings } from './shut-in.ts'

export interface ChildOrder {
  readonly command: readonly string[]
  readonly env: Record<string, string>
  readonly input: string
  readonly timeoutMs: number
  /** Bytes of memory in use, and of output. */
  readonly memory: number
  readonly output: number
  /** Takes the output piece by piece, in the place of the answer's; throws where it can't, which ends the child. */
  readonly onOutput?: (piece: Buffer) => void
  readonly signal?: AbortSignal | undefined
}

export type ChildEnd =
  | { kind: 'exit'; status: number; output: Buffer; error: string }
  /** By a signal, its own or a limit's. */
  | { kind: 'signal'; signal: string; error: string }
  /** By us. */
  | { kind: Why }
  /** By us, since `onOutput` threw this. */
  | { kind: 'refused'; cause: unknown }
  | { kind: 'unstartable'; error: string }

type Why = 'timeout' | 'memory' | 'output' | 'aborted'

const errorKept = 8 * 1024

export function runChild(order: ChildOrder): Promise<ChildEnd> {
  return new Promise(resolve => {
    if (order.signal?.aborted) return resolve({ kind: 'aborted' })
    forgoRings()
    const child = start(order, error => resolve({ kind: 'unstartable', error }))
    if (child === undefined) return
    const output: Buffer[] = []
    let length = 0
    let error = ''
    let killedFor: ChildEnd | undefined
    const kill = (why: ChildEnd): void => {
      killedFor ??= why
      child.kill('SIGKILL')
      // A grandchild could hold the pipes open for ever; there is none to be, and this does not rely on it.
      child.stdout.destroy()
      child.stderr.destroy()
    }
    const onAbort = (): void => kill({ kind: 'aborted' })
    order.signal?.addEventListener('abort', onAbort)
    const timer = setTimeout(() => kill({ kind: 'timeout' }), order.timeoutMs)
    const sampler = setInterval(() => {
      if (residentBytes(child) > order.memory) kill({ kind: 'memory' })
    }, 200)
    child.stdout.on('data', (piece: Buffer) => {
      length += piece.length
      if (killedFor !== undefined) return
      if (length > order.output) kill({ kind: 'output' })
      else if (order.onOutput === undefined) output.push(piece)
      else
        try {
          order.onOutput(piece)
        } catch (cause) {
          kill({ kind: 'refused', cause })
        }
    })
    child.stderr.on('data', (piece: Buffer) => {
      error = (error + piece.toString('latin1')).slice(-errorKept)
    })
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
    child.stdin.end(order.input)
    const finish = (end: ChildEnd): void => {
      clearTimeout(timer)
      clearInterval(sampler)
      order.signal?.removeEventListener('abort', onAbort)
      resolve(end)
    }
    child.once('close', (status, signal) => {
      if (killedFor) finish(killedFor)
      else if (signal) finish({ kind: 'signal', signal, error })
      else finish({ kind: 'exit', status: status!, output: Buffer.concat(output), error })
    })
  })
}

/** Of some reasons Node has an event, and a child that may lack its pipes; of others, such as ENOMEM, it throws. */
function start(
  { command: [program, ...args], env }: ChildOrder,
  onUnstartable: (error: string) => void,
): ChildProcessWithoutNullStreams | undefined {
  try {
    const child = spawn(program!, args, { cwd: '/', env, stdio: ['pipe', 'pipe', 'pipe'] })
    // One that runs tells so of signals that it could not be sent.
    child.on('error', cause => {
      if (child.pid === undefined) onUnstartable(cause.message)
    })
    return child.pid === undefined ? undefined : child
  } catch (error) {
    onUnstartable(reasonOf(error))
    return undefined
  }
}

/** Pages in use, of /proc/PID/statm; 0 where another user's processes are hidden (the child's own limits hold there). */
function residentBytes(child: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${child.pid}/statm`, 'latin1').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
