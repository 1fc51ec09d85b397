/** Crashes through the kernel: storms, kills of the crashing process, processes that are large in some way. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeLimit } from '../../src/install/pattern.ts'
import { takeCorePattern } from '../../test/support/core-pattern.ts'
import { kernelLog, noKernel } from '../../test/support/handler-bed.ts'
import { compareCatalogs } from './catalogs.ts'
import { kill, settled, startDaemon } from './daemon.ts'
import { type Fault, mostHeld, random, sleep } from './fault.ts'
import { noCompiler } from './shim.ts'
import type { Tally } from './tally.ts'
import { type Crash, Trial } from './trial.ts'
import { truthOf } from './truth.ts'

const fields = '%P %u %g %s %t %c %e %h %I %d -F%F'
const unavailable = (): string | false => noKernel || noCompiler()

let built: string | undefined

function victim(): string {
  if (built !== undefined) return built
  const directory = mkdtempSync(join(tmpdir(), 'gocore-victim-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  built = join(directory, 'victim')
  execFileSync('cc', ['-O1', '-w', '-pthread', '-o', built, join(import.meta.dirname, 'victim.c')])
  return built
}

interface Dead extends Crash {
  readonly signal: string | null
  /** From the crash to the moment when its parent heard of it. */
  readonly held: number
}

/** Starts a process, lets it get ready, and has it crash when `go` is called. */
async function ready(
  args: readonly string[],
): Promise<{ pid: number; go: () => Promise<Dead>; kill: () => void }> {
  const child = spawn(victim(), [...args, 'wait'], { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/' })
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>
  const [got] = (await once(child.stdout!, 'data')) as [Buffer]
  return {
    pid: child.pid!,
    kill: () => child.kill('SIGKILL'),
    go: async () => {
      const began = performance.now()
      child.stdin!.on('error', () => {})
      child.stdin!.end('\n')
      const [, signal] = await exit
      const held = performance.now() - began
      return { pid: child.pid!, truth: truthOf(args, got.toString().trim()), signal, held }
    },
  }
}

async function withKernel(
  work: (trial: Trial) => Promise<Dead[]>,
  tally: Tally,
  settings = {},
): Promise<void> {
  await using trial = new Trial(settings)
  let crashes: Dead[]
  {
    using pattern = await takeCorePattern()
    pattern.set(`|${trial.bed.path('h')} ${fields}`, { pipeLimit })
    crashes = await work(trial)
  }
  await sleep(100)
  await trial.bed.settle()
  // By the clock of whoever waited for it, which is not ours to measure by.
  const verdict = await trial.judge(crashes, tally)
  tally.hold(Math.max(0, ...crashes.map(({ held }) => held)))
  if (verdict.why.length > 0) tally.why.push(`  in ${trial.bed.directory}`)
}

export const storm: Fault = {
  name: '200 processes crash at once',
  about: 'one try is 200 crashes',
  tries: 10,
  short: 0,
  unavailable,
  async run(tries, tally) {
    for (let n = 0; n < tries; n++)
      await withKernel(async () => {
        const processes = await Promise.all(Array.from({ length: 200 }, () => ready(['memory', '1'])))
        return await Promise.all(processes.map(({ go }) => go()))
      }, tally)
  },
}

export const eachSecond: Fault = {
  name: 'a process that crashes each second',
  about: 'one try is one crash of 8 MB; the daemon runs, and the catalog is held against one made anew',
  tries: 3600,
  short: 3,
  mostHeld,
  unavailable,
  async run(tries, tally) {
    let felt = 0
    let daemonPeak = 0
    await withKernel(
      async trial => {
        const daemon = startDaemon(trial.bed.config)
        const dead: Promise<Dead>[] = []
        const began = performance.now()
        for (let n = 0; n < tries; n++) {
          await sleep(Math.max(0, began + 1000 * n - performance.now()))
          dead.push(ready(['memory', '8']).then(({ go }) => go()))
          // What somebody feels who types a command on this machine.
          const typed = performance.now()
          await once(spawn('/bin/true'), 'exit')
          felt = Math.max(felt, performance.now() - typed)
        }
        const crashes = await Promise.all(dead)
        await settled(trial)
        const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
        daemonPeak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) >> 10
        await kill(daemon, 'SIGTERM')
        await compareCatalogs(trial, tally)
        return crashes
      },
      tally,
      { AnalysisUser: '', KernelLog: 'no' },
    )
    tally.tries += tries - 1
    process.stderr.write(
      `    /bin/true took at most ${felt.toFixed(0)} ms; the daemon had at most ${daemonPeak} MB\n`,
    )
  },
}

export const crasherKilled: Fault = {
  name: 'crashing process killed at a random moment',
  about: 'SIGKILL for a process of 64 MB while it is dumped',
  tries: 200,
  short: 3,
  mostHeld,
  unavailable,
  async run(tries, tally) {
    for (let n = 0; n < tries; n++)
      await withKernel(async () => {
        const { pid, go, kill } = await ready(['memory', '64'])
        const end = go()
        await sleep(random(160))
        kill()
        const dead = await end
        await sleep(150)
        // Before the kernel has started a handler it is no crash, but a process that was killed.
        return [{ ...dead, mayBeUnknown: kernelLog(`crash of process ${pid} (`).length === 0 }]
      }, tally)
  },
}

const pidMax = '/proc/sys/kernel/pid_max'

/** Room for more processes than one may have threads: others shall be able to start some meanwhile. */
function raisePidMax(): Disposable {
  const before = readFileSync(pidMax, 'latin1')
  if (Number(before) < 1 << 22) writeFileSync(pidMax, String(1 << 22))
  return { [Symbol.dispose]: () => writeFileSync(pidMax, before) }
}

const large = (name: string, args: readonly string[], short = 0): Fault => ({
  name,
  about: `victim ${args.join(' ')}`,
  tries: 1,
  short,
  unavailable,
  async run(tries, tally) {
    using _ = raisePidMax()
    for (let n = 0; n < tries; n++)
      await withKernel(async () => {
        const dead = await (await ready(args)).go()
        if (dead.signal !== 'SIGSEGV') tally.why.push(`the process ended by ${dead.signal}`)
        return [dead]
      }, tally)
  },
})

export const largeProcesses: readonly Fault[] = [
  large('as many threads as the kernel grants', ['threads', '10000000']),
  large('as many mappings as the kernel grants, 65,530', ['mappings', '70000']),
  large('a process of 300 GB sparse memory', ['sparse', '300']),
]
