/** One target in its own process, watched for hangs and crashes; begun again behind one, up to the end of its time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keepFind } from './corpus.ts'
import type { ModulePlaces } from './coverage.ts'
import { limits } from './limits.ts'
import type { WorkerOrder, WorkerResult } from './worker.ts'

export interface TargetResult {
  readonly ok: boolean
  /** A line, and some for each find. */
  readonly output: string
  readonly modules: readonly ModulePlaces[]
}

/** Hangs and crashes after which a target is left alone. */
const mostRestarts = 10

export async function runTarget(
  order: WorkerOrder,
  onProgress: (inputs: number) => void = () => {},
): Promise<TargetResult> {
  const sum = { inputs: 0, values: 0, errors: 0, slowestMs: 0, grownMb: 0, places: 0, kept: 0, seconds: 0 }
  const finds: WorkerResult['finds'] = []
  let empty = false
  let modules: readonly ModulePlaces[] = []
  for (let n = 0; n <= mostRestarts; n++) {
    const seconds = order.seconds - sum.seconds
    const run = await runWorker({ ...order, seed: order.seed + n, seconds }, inputs =>
      onProgress(sum.inputs + inputs),
    )
    sum.seconds += run.seconds
    const { result } = run
    for (const key of ['inputs', 'values', 'errors'] as const) sum[key] += result?.[key] ?? 0
    for (const key of ['slowestMs', 'grownMb', 'places', 'kept'] as const)
      sum[key] = Math.max(sum[key], result?.[key] ?? 0)
    finds.push(...(result?.finds ?? []))
    empty = result?.empty === true
    modules = result?.modules ?? []
    if (result !== undefined) break
    sum.inputs += run.inputs
    finds.push({ input: run.last, why: run.why })
    if (run.last === '' || order.only !== undefined) break
  }
  return { ok: finds.length === 0, output: describe(order, sum, finds, empty), modules }
}

function describe(
  { target, guided, only }: WorkerOrder,
  sum: Omit<WorkerResult, 'finds' | 'empty' | 'modules'> & { seconds: number },
  finds: WorkerResult['finds'],
  empty: boolean,
): string {
  const name = target.padEnd(16)
  if (empty) return `${name} nothing here to make inputs of\n`
  const { inputs, values, errors, slowestMs, grownMb, places, kept, seconds } = sum
  const reached = guided ? `, ${places} places reached, ${kept} inputs kept` : ''
  const line = `${name} ${inputs} inputs in ${Math.round(seconds)} s: ${values} values, ${errors} errors, slowest ${slowestMs} ms, ${grownMb} MB${reached}`
  return [line, ...finds.map(find => describeFind(target, find, only !== undefined))].join('\n').concat('\n')
}

function describeFind(
  target: string,
  { input, why }: WorkerResult['finds'][number],
  isReplay: boolean,
): string {
  const text = `${target}: ${why}`
  if (isReplay || input === '') return text
  const path = keepFind(target, input, createHash('sha256').update(input).digest('hex').slice(0, 8))
  return `${text}\n  again: scripts/fuzz --target ${target} --replay ${path}`
}

interface Run {
  /** Undefined where it had no end of its own: `why` tells, and `last` is the input. */
  readonly result?: WorkerResult
  readonly why: string
  readonly last: string
  readonly inputs: number
  /** Of processor time, as far as it is known. */
  readonly seconds: number
}

async function runWorker(order: WorkerOrder, onProgress: (inputs: number) => void): Promise<Run> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'worker.ts'), JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  )
  let [output, errors] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', text => {
    output += text
  })
  child.stderr!.setEncoding('utf8').on('data', text => {
    errors = `${errors}${text}`.slice(-4000)
  })
  const inputs = new LastLine(child.stdio[3] as NodeJS.ReadableStream)
  const clock = new Clock(child, inputs)
  const telling = setInterval(() => onProgress(inputs.count), 1000)
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(resolve =>
    child.once('close', (...ended) => resolve(ended)),
  )
  clearInterval(telling)
  clock.stop()
  const known = { last: inputs.last, inputs: inputs.count, seconds: clock.seconds }
  if (code === 0) return { ...known, result: JSON.parse(output) as WorkerResult, why: '' }
  const why = clock.isHung
    ? `took more than ${limits.hangMs} ms of processor time`
    : `ended by ${signal ?? code}: ${errors.trim().split('\n').slice(-6).join('\n')}`
  return { ...known, why }
}

/** Lines are counted, and the last is remembered. */
class LastLine {
  count = 0
  last = ''
  #begun = ''

  constructor(stream: NodeJS.ReadableStream) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#begun + text).split('\n')
      this.#begun = lines.pop()!
      this.count += lines.length
      this.last = lines.at(-1) ?? this.last
    })
  }
}

/** Ends a process that takes too much processor time over one input; a busy machine is no hang. */
class Clock {
  isHung = false
  seconds = 0
  readonly #timer: NodeJS.Timeout

  constructor(child: ChildProcess, inputs: LastLine) {
    let seen = { count: -1, at: 0 }
    this.#timer = setInterval(() => {
      const now = processorSeconds(child.pid!) ?? this.seconds
      this.seconds = now
      if (seen.count !== inputs.count) seen = { count: inputs.count, at: now }
      else if ((now - seen.at) * 1000 > limits.hangMs) {
        this.isHung = true
        child.kill('SIGKILL')
      }
    }, 500)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** utime and stime of proc(5), in hundredths of a second. */
function processorSeconds(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}
