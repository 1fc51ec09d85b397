import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCoreFile } from '../../src/source/index.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const withGo = {
  skip: noKernel || (spawnSync('go', ['version']).status === 0 ? false : 'Go is not installed'),
  timeout: 10 * 60_000,
}

/** Noise, or what is packed well, and 300 goroutines whose stacks lie somewhere in it. */
function build(bed: HandlerBed, fill = 'rand.New(rand.NewSource(int64(i))).Read(noise)'): string {
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
	group.Add(300)
	for i := 0; i < 300; i++ {
		noise := make([]byte, 1<<20)
		${fill}
		keep = append(keep, noise)
		go waiter(i, &group, forever)
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

interface Listed {
  readonly goroutines: readonly { readonly frames: readonly { readonly function: string }[] }[]
}

function goroutines(bed: HandlerBed, core: string): Listed['goroutines'] {
  const cli = join(import.meta.dirname, '../../src/cli/main.ts')
  const args = [
    '--disable-warning=ExperimentalWarning',
    cli,
    'show',
    core,
    '--exe',
    bed.path('victim'),
    '--json',
  ]
  return (
    JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 })) as Listed
  ).goroutines
}

const isWaiter = ({ frames }: Listed['goroutines'][0]): boolean =>
  frames.some(frame => frame.function === 'main.waiter')

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

test('so has one for which there is hardly any room', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=755', 'tmpfs', bed.path('archive')])
  try {
    await bed.crash(`exec ${build(bed)}`)
    const [dump] = bed.dumps()
    const { core } = dump!.manifest
    assert.deepEqual([core.state, core.reason], ['truncated', 'no-space'])
    assert.equal(goroutines(bed, bed.store.corePath(dump!)!).filter(isWaiter).length, 300)
  } finally {
    execFileSync('umount', [bed.path('archive')])
  }
})

test('and one for which there is some room, all of which is used', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'tmpfs', bed.path('archive')])
  try {
    await bed.crash(`exec ${build(bed)}`)
    const [dump] = bed.dumps()
    const { core } = dump!.manifest
    assert.deepEqual([core.state, core.reason], ['truncated', 'no-space'])
    assert.ok(core.raw_size > 80 << 20 && core.raw_size < core.expected_size!)
    assert.equal(goroutines(bed, bed.store.corePath(dump!)!).filter(isWaiter).length, 300)
  } finally {
    execFileSync('umount', [bed.path('archive')])
  }
})

test('which may turn out to be enough', withGo, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere', StorageDeadline: '1min' })
  mkdirSync(bed.path('archive'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'tmpfs', bed.path('archive')])
  try {
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
  } finally {
    execFileSync('umount', [bed.path('archive')])
  }
})

const noCompiler = spawnSync('cc', ['--version']).status === 0 ? false : 'a C compiler is not installed'

test('what was reserved and never used needs no room', { skip: noKernel || noCompiler }, async () => {
  using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
  const source = join(import.meta.dirname, '../../scripts/faults.d/victim.c')
  execFileSync('cc', ['-w', '-pthread', '-o', bed.path('victim'), source])
  mkdirSync(bed.path('archive'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=755', 'tmpfs', bed.path('archive')])
  try {
    await bed.crash(`exec ${bed.path('victim')} sparse 8`)
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual([core.state, core.detail], ['complete', undefined])
    assert.ok(core.raw_size > 8 * 2 ** 30)
  } finally {
    execFileSync('umount', [bed.path('archive')])
  }
})

test('a program that dies again and again leaves small records with all goroutines', withGo, async () => {
  using bed = new HandlerBed({ CapturesPerHour: '1' })
  const program = build(bed)
  await bed.crash(`exec ${program}`)
  await bed.crash(`exec ${program}`)
  const cores = bed.dumps().map(({ manifest }) => manifest.core)
  assert.deepEqual(cores.map(({ state, reason }) => reason ?? state).sort(), ['complete', 'policy'])
  const small = bed.dumps().find(({ manifest }) => manifest.core.reason === 'policy')!
  assert.ok(small.manifest.core.raw_size <= 4 << 20)
  assert.equal(goroutines(bed, bed.store.corePath(small)!).filter(isWaiter).length, 300)
})
