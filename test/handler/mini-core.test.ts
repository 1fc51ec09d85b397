import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { partOf } from '../../src/archive/part-note.ts'
import { alignUp } from '../../src/base/align.ts'
import { openElf } from '../../src/engine/index.ts'
import { planMiniCore } from '../../src/handler/mini-core.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'
import { commandLine } from '../support/programs.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const withGo = {
  skip: noKernel || (spawnSync('go', ['version']).status === 0 ? false : 'Go is not installed'),
  timeout: 10 * 60_000,
}

const noise = 'rand.New(rand.NewSource(int64(i))).Read(noise)'

/** Megabytes of noise, or of what is packed well, and goroutines whose stacks lie somewhere in it. */
function build(bed: HandlerBed, fill = noise, { megabytes = 300, perMegabyte = 1 } = {}): string {
  writeFileSync(
    bed.path('victim.go'),
    `package main

import ("fmt"; "math/rand"; "runtime/debug"; "sync")

var keep [][]byte

//go:noinline
func waiter(n int, group *sync.WaitGroup, forever chan int) {
	group.Done()
	keep[n%len(keep)][0] = byte(<-forever)
}

var _ = rand.Int

func main() {
	debug.SetTraceback("crash")
	forever := make(chan int)
	var group sync.WaitGroup
	group.Add(${megabytes * perMegabyte})
	for i := 0; i < ${megabytes}; i++ {
		noise := make([]byte, 1<<20)
		${fill}
		keep = append(keep, noise)
		for n := 0; n < ${perMegabyte}; n++ {
			go waiter(i, &group, forever)
		}
	}
	group.Wait()
	panic(fmt.Sprintf("out of %d", len(keep)))
}
`,
  )
  execFileSync('go', ['build', '-o', bed.path('victim'), bed.path('victim.go')], {
    cwd: bed.directory,
    env: { ...process.env, GOFLAGS: '', GO111MODULE: 'off' },
  })
  return bed.path('victim')
}

interface Frames {
  readonly frames: readonly { readonly function: string }[]
}

interface Shown {
  readonly death: { readonly message: string }
  readonly goroutines: readonly (Frames & { readonly createdBy?: { readonly function: string } })[]
  readonly threads: readonly Frames[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
}

function show(bed: HandlerBed, core: string): Shown {
  const args = ['--disable-warning=ExperimentalWarning', commandLine, 'show', core, '--json']
  const all = [...args, '--exe', bed.path('victim')]
  return JSON.parse(execFileSync(process.execPath, all, { encoding: 'utf8', maxBuffer: 1 << 28 })) as Shown
}

const goroutines = (bed: HandlerBed, core: string): Shown['goroutines'] => show(bed, core).goroutines

const isWaiter = ({ frames }: Frames): boolean => frames.some(frame => frame.function === 'main.waiter')

test('a Go core cut to a hundredth has all its goroutines', withGo, async () => {
  using bed = new HandlerBed({ CoreMax: '3M' })
  await bed.crash(`exec ${build(bed)}`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['truncated', 'cap'])
  assert.ok(core.raw_size <= 3 << 20 && core.raw_size < core.expected_size! / 100)
  const path = bed.store.corePath(dump!)!
  assert.equal(goroutines(bed, path).filter(isWaiter).length, 300)
  using source = openCoreFile(path)
  assert.equal(partOf(openElf(source).notes), core.expected_size)
  writeFileSync(bed.path('core'), source.read(0, source.size))
  if (spawnSync('dlv', ['version']).status === 0) {
    writeFileSync(bed.path('init'), 'goroutines\nexit\n')
    const args = [
      'core',
      bed.path('victim'),
      bed.path('core'),
      '--allow-non-terminal-interactive=true',
      '--init',
      bed.path('init'),
    ]
    assert.match(
      execFileSync('dlv', args, { encoding: 'utf8', input: '', stdio: 'pipe' }),
      /\[30[0-9] goroutines\]/,
    )
  }
  if (spawnSync('gdb', ['--version']).status === 0)
    assert.match(
      execFileSync('gdb', ['-batch', '-nx', '-ex', 'bt', bed.path('victim'), bed.path('core')], {
        encoding: 'utf8',
        stdio: 'pipe',
      }),
      /main\.main/,
    )
})

test('of 1,000 goroutines with a heap of 32 MB all are in a hundredth, and how it died', withGo, async () => {
  using bed = new HandlerBed({ CoreMax: '800K' })
  const shape = { megabytes: 32, perMegabyte: 31 }
  await bed.crash(`exec ${build(bed, noise, shape)}`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['truncated', 'cap'])
  assert.ok(core.raw_size < (core.expected_size! * 1.25) / 100, `${core.raw_size} of ${core.expected_size}`)
  const shown = show(bed, bed.store.corePath(dump!)!)
  const waiting = shown.goroutines.filter(({ createdBy }) => createdBy?.function === 'main.main')
  assert.equal(waiting.length, 32 * 31)
  assert.equal(shown.death.message, 'panic: out of 32')
})

test(
  'of more goroutines than there is room for as many are kept as fit, and their number',
  withGo,
  async () => {
    using bed = new HandlerBed({ CoreMax: '2M' })
    await bed.crash(`exec ${build(bed, noise, { megabytes: 32, perMegabyte: 500 })}`)
    const [dump] = bed.dumps()
    const shown = show(bed, bed.store.corePath(dump!)!)
    assert.equal(shown.death.message, 'panic: out of 32')
    assert.ok(shown.goroutines.length > 2500, `${shown.goroutines.length} are listed`)
    const missing = shown.warnings.find(({ code }) => code === 'goroutines-missing')
    assert.match(missing?.message ?? '', /^The runtime lists 160\d\d goroutines, .* are not in the core/)
  },
)

test('so has one for which there is hardly any room', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  using _disk = mountTmpfs(bed.path('archive'), 'size=12m,mode=755')
  await bed.crash(`exec ${build(bed)}`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['truncated', 'no-space'])
  assert.equal(goroutines(bed, bed.store.corePath(dump!)!).filter(isWaiter).length, 300)
})

test('and one for which there is some room, all of which is used', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  using _disk = mountTmpfs(bed.path('archive'), 'size=100m,mode=755')
  await bed.crash(`exec ${build(bed)}`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['truncated', 'no-space'])
  assert.ok(core.raw_size > 80 << 20 && core.raw_size < core.expected_size!)
  assert.equal(goroutines(bed, bed.store.corePath(dump!)!).filter(isWaiter).length, 300)
})

test('which may turn out to be enough', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  using _disk = mountTmpfs(bed.path('archive'), 'size=100m,mode=755')
  await bed.crash(`exec ${build(bed, 'for j := range noise { noise[j] = byte(i + j>>8) }')}`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['complete', undefined])
  assert.ok(core.raw_size > 300 << 20)
  const path = bed.store.corePath(dump!)!
  assert.equal(goroutines(bed, path).filter(isWaiter).length, 300)
  using source = openCoreFile(path)
  const plain = bed.path('core')
  const fd = openSync(plain, 'w')
  for (let at = 0; at < source.size; at += 1 << 20)
    writeSync(fd, source.read(at, Math.min(1 << 20, source.size - at)))
  closeSync(fd)
  if (spawnSync('gdb', ['--version']).status === 0)
    assert.match(
      execFileSync('gdb', ['-batch', '-nx', '-ex', 'bt', bed.path('victim'), plain], {
        encoding: 'utf8',
        stdio: 'pipe',
      }),
      /main\.main/,
    )
  // The kernel's order is by address, and so are the headers of this one.
  const loads = execFileSync('readelf', ['-lW', plain], { encoding: 'utf8' })
    .split('\n')
    .filter(line => /^ +LOAD /.test(line))
    .map(line => Number(line.trim().split(/ +/)[2]))
  assert.deepEqual(
    loads,
    loads.toSorted((a, b) => a - b),
  )
})

const noCompiler = spawnSync('cc', ['--version']).status === 0 ? false : 'a C compiler is not installed'

test('what was reserved and never used needs no room', { skip: noKernel || noCompiler }, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  const source = join(import.meta.dirname, '../../scripts/faults.d/victim.c')
  execFileSync('cc', ['-w', '-pthread', '-o', bed.path('victim'), source])
  mkdirSync(bed.path('archive'))
  using _disk = mountTmpfs(bed.path('archive'), 'size=64m,mode=755')
  await bed.crash(`exec ${bed.path('victim')} sparse 8`)
  const { core } = bed.dumps()[0]!.manifest
  assert.deepEqual([core.state, core.detail], ['complete', undefined])
  assert.ok(core.raw_size > 8 * 2 ** 30)
})

/** A program whose notes take more than a block: registers of the processor's extensions alone may be 11 KB for each thread. */
function buildThreads(bed: HandlerBed): string {
  const source = join(import.meta.dirname, '../../scripts/faults.d/victim.c')
  execFileSync('cc', ['-w', '-O0', '-g', '-pthread', '-o', bed.path('victim'), source])
  return bed.path('victim')
}

/** Its stack is there, down to its beginning. */
const hasStack = ({ frames }: Frames): boolean => frames.some(frame => frame.function === 'wait_for_ever')

test('stacks of 300 threads come before all other memory', { skip: noKernel || noCompiler }, async () => {
  using bed = new HandlerBed({ CoreMax: '10M' })
  await bed.crash(`exec ${buildThreads(bed)} threads 300`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.reason], ['truncated', 'cap'])
  assert.match(core.detail!, /are kept for the configured limit/)
  const { threads } = show(bed, bed.store.corePath(dump!)!)
  assert.equal(threads.length, 301)
  assert.equal(threads.filter(hasStack).length, 300)
})

test('the notes of 300 threads and the memory behind them are whole', {
  skip: noKernel || noCompiler,
}, async () => {
  using bed = new HandlerBed()
  await bed.crash(`exec ${buildThreads(bed)} threads 300`)
  const [dump] = bed.dumps()
  const { core } = dump!.manifest
  assert.deepEqual([core.state, core.raw_size], ['complete', core.expected_size])
  const { threads } = show(bed, bed.store.corePath(dump!)!)
  assert.equal(threads.filter(hasStack).length, 300)
})

test('a crash of many threads that is one too many leaves a small record, with their registers and stacks', {
  skip: noKernel || noCompiler,
}, async () => {
  using bed = new HandlerBed({ CapturesPerHour: '1' })
  const program = buildThreads(bed)
  for (let n = 0; n < 2; n++) await bed.crash(`exec ${program} threads 400`)
  const small = bed.dumps().find(({ manifest }) => manifest.core.reason === 'policy')
  assert.ok(small !== undefined, JSON.stringify(bed.dumps().map(({ manifest }) => manifest.core)))
  const { core } = small.manifest
  assert.ok(core.raw_size < core.expected_size! / 2)
  const { threads } = show(bed, bed.store.corePath(small)!)
  assert.equal(threads.length, 401)
  assert.ok(threads.filter(hasStack).length >= 200)
})

test('a program that dies again and again leaves small records with all goroutines', withGo, async () => {
  using bed = new HandlerBed({ CapturesPerHour: '1' })
  const program = build(bed)
  await bed.crash(`exec ${program}`)
  await bed.crash(`exec ${program}`)
  const cores = bed.dumps().map(({ manifest }) => manifest.core)
  assert.deepEqual(cores.map(({ state, reason }) => reason ?? state).sort(), ['complete', 'policy'])
  const small = bed.dumps().find(({ manifest }) => manifest.core.reason === 'policy')!
  assert.ok(small.manifest.core.raw_size <= 5 << 20)
  assert.equal(goroutines(bed, bed.store.corePath(small)!).filter(isWaiter).length, 300)
})

test('where all of it is planned, in the order of need, the registers of all threads are, too', () => {
  // Of 40 threads, each with 11 KB of an extended state (NT_X86_XSTATE).
  const notes = Buffer.concat(Array.from({ length: 40 }, () => [note(1, 336), note(0x202, 11_000)]).flat())
  const [noteAt, at, size] = [64 + 2 * 56, alignUp(64 + 2 * 56 + notes.length, 4096), 1 << 20]
  const head = Buffer.alloc(at)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(62, 18)
  head.writeBigUInt64LE(64n, 32)
  head.writeUInt16LE(2, 56)
  for (const [n, type, offset, address, filesz] of [
    [0, 4, noteAt, 0, notes.length],
    [1, 1, at, 0x10000, size],
  ] as const) {
    head.writeUInt32LE(type, 64 + n * 56)
    for (const [field, value] of [
      [8, offset],
      [16, address],
      [32, filesz],
      [40, filesz],
    ] as const)
      head.writeBigUInt64LE(BigInt(value), 64 + n * 56 + field)
  }
  notes.copy(head, noteAt)
  const plan = planMiniCore(head, [{ offset: at, end: at + size, address: 0x10000 }], () => {}, 1 << 20, true)
  assert.ok(plan!.header.includes(notes))
  assert.ok(plan!.end >= at + size, 'as long as the kernel promised: a shorter one counts as killed')
})

/** As `CORE` has it. */
function note(type: number, size: number): Buffer {
  const bytes = Buffer.alloc(12 + 8 + alignUp(size, 4))
  for (const [at, value] of [5, size, type].entries()) bytes.writeUInt32LE(value, at * 4)
  bytes.write('CORE', 12)
  return bytes
}
