import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openLz4 } from '../../src/lz4/index.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { HandlerBed, kernelLog, noKernel } from '../support/handler-bed.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const have = (program: string, option = '--version'): boolean => spawnSync(program, [option]).status === 0
const haveGo = have('go', 'version')
// Other test files wait for the same core_pattern, one at a time, so the limit is on hanging and not on waiting.
const kernel = { skip: noKernel, timeout: 10 * 60_000 }
const withGo = { skip: noKernel || (haveGo ? false : 'Go is not installed'), timeout: 10 * 60_000 }

/** Has as many mappings as a process may, and of the largest it touched a page. */
const manyMappings = `
#include <stdlib.h>
#include <sys/mman.h>
int main(void) {
  char *large = mmap(0, 128 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  large[100 << 20] = 1;
  for (int i = 0; i < 65000; i++)
    if (mmap(0, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) break;
  abort();
}`

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** A Go program that holds `busy` MB of noise and dies of a signal or a panic. */
function goVictim(bed: HandlerBed): string {
  const source = bed.path('victim.go')
  writeFileSync(
    source,
    `package main

import ("math/rand"; "os"; "runtime/debug"; "strconv"; "time")

func main() {
	debug.SetTraceback("crash")
	mb, _ := strconv.Atoi(os.Args[1])
	noise := make([]byte, mb<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	for i := 0; i < 5; i++ { go func() { time.Sleep(time.Hour) }() }
	os.Stdout.Write(noise[:1])
	var m map[string]int
	m["crash"] = len(noise)
}
`,
  )
  execFileSync('go', ['build', '-o', bed.path('victim'), source], {
    cwd: bed.directory,
    env: { ...process.env, GOFLAGS: '', GO111MODULE: 'off' },
  })
  return bed.path('victim')
}

describe('a crash through the kernel', kernel, () => {
  test('of a dynamically linked program leaves core, executable, libraries and facts', async () => {
    using bed = new HandlerBed()
    await bed.crash('kill -SEGV $$')
    const [dump, ...others] = bed.dumps()
    assert.equal(others.length, 0)
    const { manifest } = dump!
    assert.equal(manifest.core.state, 'complete')
    assert.equal(manifest.core.raw_size, manifest.core.expected_size)
    assert.equal(manifest.signal.name, 'SIGSEGV')
    assert.deepEqual(manifest.notes, [])
    const shell = realpathSync('/bin/sh')
    assert.equal(manifest.process.exe, shell)
    assert.equal(manifest.process.cwd, realpathSync(bed.directory))
    assert.deepEqual(manifest.process.environ, { LANG: 'C' }, 'only variables on the list')
    assert.ok(manifest.process.start_ticks! > 0)
    assert.ok(manifest.held_ms > 0)
    assert.equal(sha256(bed.store.binaryPath(manifest.executable!.key!)!), sha256(shell))
    const libc = manifest.libraries.find(library => /\/libc\.so\.6$|\/libc-/.test(library.path))
    assert.ok(libc?.key, 'libc is stored')
    assert.equal(sha256(bed.store.binaryPath(libc.key)!), sha256(realpathSync(libc.path)))
    assert.ok(!existsSync(join(bed.store.layout.dump(dump!), 'pending.json')))
    for (const name of ['core.lz4', 'manifest.json'])
      assert.equal(statSync(bed.store.layout.file(dump!, name)).mode & 0o777, 0o600)
    assert.equal((await logged(`crash of process ${manifest.process.pid} (sh)`)).length, 1)
  })

  test('with the pattern of seven fields', async () => {
    using bed = new HandlerBed()
    await bed.crash('kill -ABRT $$', { pattern: `|${bed.path('h')} %P %u %g %s %t %c %e` })
    const [{ manifest }] = bed.dumps() as [ReturnType<HandlerBed['dumps']>[0]]
    assert.equal(manifest.core.state, 'complete')
    assert.equal(manifest.process.comm, 'sh')
    assert.equal(manifest.process.tid, undefined)
  })

  for (const [name, shown] of [
    ['a b', 'a b'],
    ['-Fx', '-Fx'],
    ['\\0033[31m\\n', '\\x1b[31m\\x0a'],
    ['\\0377\\0200', '\\xff\\x80'],
    ['(x) R 1 1', '(x) R 1 1'],
    ['../..', '!.!..'],
  ] as const)
    test(`of a thread that calls itself ${name}`, async () => {
      using bed = new HandlerBed()
      await bed.crash(`printf %b '${name}' > /proc/$$/comm; kill -SEGV $$`)
      const [dump] = bed.dumps()
      assert.ok(dump, 'the crash is on record')
      assert.equal(dump.manifest.core.state, 'complete')
      if (name !== '../..') assert.equal(dump.manifest.process.comm, shown)
      assert.ok(dump.manifest.process.start_ticks! > 0)
      assert.ok(!/[^\n -~…]/.test(JSON.stringify(dump.manifest)), 'nothing but printable text')
    })

  test('with RLIMIT_CORE 0 is recorded without its core, or stored where that is configured', async () => {
    using bed = new HandlerBed()
    await bed.crash('kill -SEGV $$', { limit: '0' })
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual([core.state, core.reason, core.raw_size], ['none', 'rlimit', 0])
    assert.ok(bed.dumps()[0]!.manifest.executable?.key)
    using storing = new HandlerBed({ RlimitZero: 'store' })
    await storing.crash('kill -SEGV $$', { limit: '0' })
    assert.equal(storing.dumps()[0]!.manifest.core.state, 'complete')
  })

  test('twice stores the executable once', async () => {
    using bed = new HandlerBed()
    await bed.crash('kill -SEGV $$')
    const first = [...bed.store.binaries()].map(({ key }) => statSync(bed.store.binaryPath(key)!).ino)
    await bed.crash('sh -c "kill -SEGV \\$\\$" & sh -c "kill -SEGV \\$\\$" & wait')
    assert.equal(bed.dumps().length, 3)
    const after = [...bed.store.binaries()].map(({ key }) => statSync(bed.store.binaryPath(key)!).ino)
    assert.deepEqual(after, first)
    assert.deepEqual(readdirSync(bed.store.layout.temporary), [])
  })

  test('goes to the spool where the archive can not be written', async () => {
    using bed = new HandlerBed()
    writeFileSync(bed.path('archive'), 'a file in the place of the archive')
    await bed.crash('kill -SEGV $$')
    const [dump] = bed.dumps(bed.spool)
    assert.equal(dump?.manifest.core.state, 'complete')
    assert.match(dump.manifest.notes.join(), /Could not write to .*archive/)
  })

  test('is in the kernel log where nothing can be written', async () => {
    using bed = new HandlerBed()
    writeFileSync(bed.path('archive'), '')
    writeFileSync(bed.path('state'), '')
    await bed.crash('kill -SEGV $$')
    const [line] = await logged(bed.path('archive'))
    assert.match(line!, /LOST the core of crash of process [0-9]+ \(sh\)/)
  })

  test('keeps what fits where the disk fills up and there is no spool, and says so', withGo, async () => {
    using bed = new HandlerBed({ StateDirectory: '/proc/nowhere' })
    const victim = goVictim(bed)
    mkdirSync(bed.path('archive'))
    using _disk = mountTmpfs(bed.path('archive'), 'size=24m,mode=755')
    await bed.crash(`exec ${victim} 60`)
    const [dump] = bed.dumps()
    assert.ok(dump, 'a manifest is there')
    const { core } = dump.manifest
    assert.deepEqual([core.state, core.reason], ['truncated', 'no-space'])
    assert.ok(core.raw_size > 10 << 20 && core.raw_size < core.expected_size!)
    using source = openCoreFile(bed.store.corePath(dump)!)
    assert.equal(source.size, core.raw_size)
    assert.equal(Buffer.from(source.read(0, 4)).toString('latin1'), '\x7fELF')
    // It has an end like a whole one: an index, and a copy of its head.
    assert.deepEqual(source.warnings, [])
    assert.ok(source.headCopy!() > 1000)
    if (have('lz4')) execFileSync('lz4', ['-t', '-q', bed.store.corePath(dump)!])
  })

  test('of a process that is killed in the middle is marked as cut', withGo, async () => {
    using bed = new HandlerBed()
    const victim = goVictim(bed)
    await bed.crash(`exec ${victim} 900`, {
      async during(pid) {
        // The kernel writes as fast as the handler makes room: stop the handler first, then end the process.
        for (let i = 0; i < 2000 && partSize(bed) < 1 << 20; i++)
          await new Promise(done => setTimeout(done, 5))
        process.kill(pid, 'SIGKILL')
      },
    })
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual([core.state, core.reason], ['truncated', 'killed'])
    assert.match(core.detail!, /The kernel ended the dump after [0-9]+ of [0-9]+ bytes/)
    assert.ok(core.raw_size < core.expected_size!)
  })

  test('over the limit keeps as much as that', withGo, async () => {
    using bed = new HandlerBed({ CoreMax: '8M' })
    const victim = goVictim(bed)
    const { signal } = await bed.crash(`exec ${victim} 30`)
    assert.equal(signal, 'SIGABRT')
    const { core } = bed.dumps()[0]!.manifest
    assert.deepEqual([core.state, core.reason], ['truncated', 'cap'])
    assert.ok(core.raw_size <= 8 << 20 && core.raw_size > 7 << 20)
  })

  test('over the limit within zeros, of a process with more mappings than a choice is made among, has an index', {
    ...kernel,
    skip: noKernel || (have('cc') ? false : 'a C compiler is not installed'),
  }, async () => {
    using bed = new HandlerBed({ CoreMax: '32M' })
    writeFileSync(bed.path('victim.c'), manyMappings)
    execFileSync('cc', ['-w', '-o', bed.path('victim'), bed.path('victim.c')])
    await bed.crash(`exec ${bed.path('victim')}`)
    const [dump] = bed.dumps()
    const { core } = dump!.manifest
    assert.deepEqual([core.state, core.reason, core.raw_size], ['truncated', 'cap', 32 << 20])
    assert.match(core.detail!, /The configured limit keeps/, 'what is kept was not chosen')
    const file = openLz4(bytesSource('core.lz4', readFileSync(bed.store.corePath(dump!)!)))
    assert.equal(file.indexed, true)
    assert.ok(file.readHead()!.length > 60_000 * 56)
  })

  test('of a Go program opens in dlv and gdb', withGo, async () => {
    using bed = new HandlerBed()
    const victim = goVictim(bed)
    await bed.crash(`exec ${victim} 70`)
    const [dump] = bed.dumps()
    assert.equal(dump!.manifest.core.state, 'complete')
    using source = openCoreFile(bed.store.corePath(dump!)!)
    assert.equal(source.size, dump!.manifest.core.expected_size)
    const plain = bed.path('core')
    writeFileSync(plain, source.read(0, source.size))
    const binary = bed.store.binaryPath(dump!.manifest.executable!.key!)!
    if (have('gdb'))
      assert.match(
        execFileSync('gdb', ['-batch', '-nx', '-ex', 'info threads', binary, plain], {
          encoding: 'utf8',
          stdio: 'pipe',
        }),
        /terminated with signal SIGABRT/,
      )
    if (have('dlv', 'version')) {
      writeFileSync(bed.path('init'), 'goroutines\nexit\n')
      const args = [
        'core',
        binary,
        plain,
        '--allow-non-terminal-interactive=true',
        '--init',
        bed.path('init'),
      ]
      assert.match(
        execFileSync('dlv', args, { encoding: 'utf8', input: '', stdio: 'pipe' }),
        /\[[0-9]+ goroutines\]/,
      )
    }
  })
})

/** The log's lines may take a moment to show. */
async function logged(text: string): Promise<string[]> {
  for (let i = 0; i < 40 && kernelLog(text).length === 0; i++) await new Promise(done => setTimeout(done, 50))
  return kernelLog(text)
}

function partSize(bed: HandlerBed): number {
  try {
    const file = readdirSync(bed.path('archive/dumps'), { recursive: true, encoding: 'utf8' }).find(name =>
      name.endsWith('.part'),
    )
    return file === undefined ? 0 : statSync(bed.path(`archive/dumps/${file}`)).size
  } catch {
    return 0
  }
}
