/**
 * How long the kernel holds a crashed process: ours, `lz4 -1` and `cat >/dev/null` as the pipe's reader, in turn on the
 * same crashes; then the time from exec to the first byte read, and the handler's peak memory. Run through scripts/bench.
 *
 *     --runs N        crashes of each kind for each reader (5)
 *     --dir DIR       where lz4 and the archive write (a directory below the system's temporary one)
 *     --handler FILE  another build of the handler (dist/handler.cjs)
 *     --only NAME     one of busy-3g, empty-4g, busy-300m
 */
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gateDirectory, gateLimits, loadConfigOrDefaults } from '../src/config/index.ts'
import { handlerBounds } from '../src/install/bounds.ts'
import { launcherText } from '../src/install/launcher.ts'
import { takeCorePattern } from '../test/support/core-pattern.ts'

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    dir: { type: 'string' },
    only: { type: 'string' },
    handler: { type: 'string' },
  },
})
const runs = Number(options.runs)
const repository = join(import.meta.dirname, '..')

/** A heap as a server has it: pointers, strings, numbers, and a tenth of noise; or one that was hardly touched. */
const victim = `package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"runtime/debug"
	"strconv"
)

type node struct {
	next, prev *node
	key        string
	count      int64
	weight     float64
	tags       []string
	blob       []byte
}

func main() {
	debug.SetTraceback("crash")
	debug.SetGCPercent(-1)
	mb, _ := strconv.Atoi(os.Args[2])
	var keep []*node
	var empty []byte
	if os.Args[1] == "empty" {
		empty = make([]byte, mb<<20)
		for i := 0; i < len(empty); i += 64 << 20 {
			empty[i] = 1
		}
	} else {
		r := rand.New(rand.NewSource(1))
		var last *node
		for used := 0; used < mb<<20; {
			n := &node{prev: last, key: fmt.Sprintf("user:%08d/session", r.Intn(1e8)), count: r.Int63n(1e6), weight: r.Float64()}
			n.tags = []string{"region=eu", n.key[5:13]}
			if r.Intn(8) == 0 {
				n.blob = make([]byte, 256)
				r.Read(n.blob)
				used += 256
			}
			if last != nil {
				last.next = n
			}
			last = n
			keep = append(keep, n)
			used += 96 + 32 + 32 + 8 + 8
		}
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadByte()
	fmt.Fprintln(os.Stderr, len(keep), len(empty))
	var m map[string]int
	m["crash"] = 1
}
`

const cases = [
  { name: 'busy-3g', about: '3 GB busy heap', args: ['busy', '2600'] },
  { name: 'empty-4g', about: '4 GB, mostly empty', args: ['empty', '4096'] },
  { name: 'busy-300m', about: '300 MB busy heap', args: ['busy', '230'] },
].filter(({ name }) => options.only === undefined || options.only === name)

const scratch = mkdtempSync(join(options.dir ?? tmpdir(), 'gocore-bench-'))
const path = (name: string): string => join(scratch, name)

function script(name: string, line: string): string {
  writeFileSync(path(name), `#!/bin/sh\n${line}\n`)
  chmodSync(path(name), 0o755)
  return path(name)
}

/** The launcher that `install` writes, gate and all, with the checkout's build behind it. */
function launcher(): string {
  const version = path('version')
  mkdirSync(join(version, 'bin'), { recursive: true })
  mkdirSync(join(version, 'dist'))
  symlinkSync(process.execPath, join(version, 'bin/node'))
  symlinkSync(options.handler ?? join(repository, 'dist/handler.cjs'), join(version, 'dist/handler.cjs'))
  writeFileSync(
    path('conf'),
    `ArchiveDirectory=${path('archive')}\nStateDirectory=${path('state')}\nRuntimeDirectory=${path('run')}\n`,
  )
  const { config } = loadConfigOrDefaults(path('conf'))
  const gate = { directory: gateDirectory(config), ...gateLimits(config), bounds: handlerBounds() }
  writeFileSync(path('sink'), launcherText({ version, config: path('conf'), tell: false, gate }))
  chmodSync(path('sink'), 0o755)
  return path('sink')
}

const readers = [
  // The program's own time to die: nothing is dumped to a file at limit 0.
  { name: 'no dump', pattern: undefined, fields: '' },
  { name: 'cat', pattern: script('cat', 'exec cat >/dev/null'), fields: '%P' },
  {
    name: 'lz4 -1',
    pattern: script('lz4', `exec lz4 -1 -q -f - ${path('core.lz4')} 2>/dev/null`),
    fields: '%P',
  },
  {
    name: 'gocore-sink',
    pattern: launcher(),
    fields: '%P %u %g %s %t %c %e %h %I %d -F%F',
  },
]

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
const spread = (values: number[]): string =>
  `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`

/** Seconds from the byte that makes the program crash to its end. */
async function crash(args: string[], limit: string): Promise<number> {
  const child = spawn('/bin/sh', ['-c', `ulimit -c ${limit}; exec "$0" "$@"`, path('victim'), ...args], {
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  await new Promise(resolve => child.stdout!.once('data', resolve))
  const ended = new Promise(resolve => child.once('exit', resolve))
  const began = performance.now()
  child.stdin!.end('x')
  await ended
  return (performance.now() - began) / 1000
}

/** Waits for the handler to finish its work after it has let the process go, watching its memory all the time. */
class MemoryWatch {
  peak = 0
  #seen = new Set<string>()
  #timer = setInterval(() => this.#look(), 15)

  #handlers(): string[] {
    return readdirSync('/proc').filter(name => {
      if (!/^[0-9]+$/.test(name)) return false
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(path('conf'))
      } catch {
        return false
      }
    })
  }

  #look(): void {
    for (const pid of this.#handlers()) {
      this.#seen.add(pid)
      try {
        const kilobytes = /^VmHWM:\s*([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
        this.peak = Math.max(this.peak, Number(kilobytes ?? 0) / 1024)
      } catch {
        // It has just ended.
      }
    }
  }

  async settle(): Promise<void> {
    while (this.#handlers().length > 0) await new Promise(resolve => setTimeout(resolve, 50))
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Milliseconds from exec to the first byte read: a pipe is filled to the brim, and the moment when it takes more is that
 * when the child has read.
 */
function firstByte(program: string, args: string[]): number {
  // Of handlers that were killed when they had read their first byte.
  rmSync(path('run/gate'), { recursive: true, force: true })
  mkdirSync(path('run/gate'), { recursive: true })
  const fifo = path(`fifo-${Math.random().toString(36).slice(2)}`)
  execFileSync('mkfifo', [fifo])
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
  const fill = (): boolean => {
    try {
      return writeSync(fd, Buffer.alloc(4096)) > 0
    } catch {
      return false
    }
  }
  while (fill());
  const began = performance.now()
  const child = spawn(program, args, { env: {}, stdio: [fd, 'ignore', 'ignore'] })
  while (!fill() && performance.now() - began < 5000) Atomics.wait(sleeper, 0, 0, 0.1)
  const took = performance.now() - began
  child.kill('SIGKILL')
  closeSync(fd)
  rmSync(fifo)
  return took
}

function wholeRun(file: string): number {
  const began = performance.now()
  execFileSync(process.execPath, [file], { env: {}, stdio: 'ignore' })
  return performance.now() - began
}

try {
  mkdirSync(path('src'))
  writeFileSync(path('src/main.go'), victim)
  writeFileSync(path('src/go.mod'), 'module victim\n\ngo 1.19\n')
  execFileSync('go', ['build', '-o', path('victim'), '.'], {
    cwd: path('src'),
    env: { ...process.env, GOFLAGS: '', GOTOOLCHAIN: 'local' },
    stdio: 'inherit',
  })
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.version}, ${runs} runs each, load ${loadavg()[0]!.toFixed(1)}`,
  )
  let peak = 0
  if (process.getuid?.() === 0) {
    console.log(
      '\nHeld time, seconds: median (least–most), and the share of lz4’s net of the program’s own time',
    )
    for (const { about, args } of cases) {
      const times = new Map<string, number[]>(readers.map(({ name }) => [name, []]))
      let stored = 0
      for (let run = 0; run < runs; run++) {
        using corePattern = await takeCorePattern()
        for (const { name, pattern, fields } of readers) {
          corePattern.set(pattern === undefined ? 'core' : `|${pattern} ${fields}`, { pipeLimit: 16 })
          const watch = new MemoryWatch()
          times.get(name)!.push(await crash(args, pattern === undefined ? '0' : 'unlimited'))
          await watch.settle()
          watch.stop()
          peak = Math.max(peak, watch.peak)
          if (name === 'gocore-sink') stored = sizeOfCores(path('archive'))
          rmSync(path('archive'), { recursive: true, force: true })
        }
      }
      const lz4 = statSync(path('core.lz4')).size
      console.log(`${about}`)
      for (const { name } of readers) {
        const own = times.get(name)!
        const net = (values: number[]): number => median(values) - median(times.get('no dump')!)
        const share = net(own) / net(times.get('lz4 -1')!)
        console.log(`  ${name.padEnd(12)} ${median(own).toFixed(2)} (${spread(own)})  ${share.toFixed(2)}×`)
      }
      console.log(`  stored ${(stored / 2 ** 20).toFixed(1)} MB, by lz4 ${(lz4 / 2 ** 20).toFixed(1)} MB`)
    }
  } else console.log('The crashes need root for core_pattern; they are left out.')

  writeFileSync(path('empty.cjs'), '')
  writeFileSync(path('read.cjs'), "require('node:fs').readSync(0, Buffer.alloc(65536))")
  const fields = ['999999999', '0', '0', '6', '1700000000', '18446744073709551615', 'bench']
  const empty: number[] = []
  const reading: number[] = []
  const ours: number[] = []
  for (let run = 0; run < Math.max(15, runs); run++) {
    empty.push(wholeRun(path('empty.cjs')))
    reading.push(firstByte(process.execPath, [path('read.cjs')]))
    ours.push(firstByte(path('sink'), fields))
  }
  console.log('\nStart, milliseconds: median (least–most)')
  console.log(`  empty Node script, exec to exit        ${median(empty).toFixed(1)} (${spread(empty)})`)
  console.log(`  script that reads, exec to first byte  ${median(reading).toFixed(1)} (${spread(reading)})`)
  console.log(
    `  handler, exec to first byte            ${median(ours).toFixed(1)} (${spread(ours)})  ${(median(ours) / median(empty)).toFixed(2)}× the empty script`,
  )
  if (peak > 0) console.log(`\nPeak memory of the handler: ${peak.toFixed(0)} MB`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function sizeOfCores(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.name === 'core.lz4')
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
