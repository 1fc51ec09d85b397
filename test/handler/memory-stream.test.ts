import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCoreFile } from '../../src/source/index.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const withGo = {
  skip: noKernel || (spawnSync('go', ['version']).status === 0 ? false : 'Go is not installed'),
  timeout: 10 * 60_000,
}

/** Memory of every kind that a dump may hold: touched here and there, closed again, shared, of files, given back. */
const victim = `package main

import ("fmt"; "os"; "os/exec"; "runtime/debug"; "syscall")

const page = 4096
const anon = syscall.MAP_ANON

func mmap(fd, length, prot, flags int) []byte {
	b, err := syscall.Mmap(fd, 0, length, prot, flags)
	if err != nil { panic(err) }
	return b
}

func main() {
	if len(os.Args) > 2 {
		child := exec.Command(os.Args[0], os.Args[1])
		child.Run()
		os.WriteFile(os.Args[2], []byte(fmt.Sprint(child.ProcessState.Sys().(syscall.WaitStatus).CoreDump())), 0644)
		return
	}
	debug.SetTraceback("crash")
	rw := syscall.PROT_READ | syscall.PROT_WRITE
	sparse := mmap(-1, 512<<20, rw, syscall.MAP_PRIVATE|anon)
	for i := 0; i < len(sparse); i += 7 << 20 { sparse[i] = byte(i >> 20) | 1 }
	for i := 0; i < 400; i += 2 { sparse[(100<<20)+i*page+5] = 7 }
	closed := mmap(-1, 64*page, rw, syscall.MAP_PRIVATE|anon)
	for i := range closed { closed[i] = byte(i) }
	syscall.Mprotect(closed, syscall.PROT_NONE)
	shared := mmap(-1, 64*page, rw, syscall.MAP_SHARED|anon)
	shared[10*page] = 9
	file, _ := os.Create(os.Args[1])
	file.Write(make([]byte, 16*page))
	file.WriteAt([]byte("of the file"), 3*page)
	private := mmap(int(file.Fd()), 16*page, rw, syscall.MAP_PRIVATE)
	private[5*page] = 3
	given := mmap(-1, 64*page, rw, syscall.MAP_PRIVATE|anon)
	for i := range given { given[i] = 1 }
	syscall.Madvise(given[16*page:48*page], syscall.MADV_DONTNEED)
	hidden := mmap(-1, 64*page, rw, syscall.MAP_PRIVATE|anon)
	hidden[0] = 1
	syscall.Madvise(hidden, 16) // MADV_DONTDUMP
	guarded := mmap(-1, 64*page, rw, syscall.MAP_PRIVATE|anon)
	for i := range guarded { guarded[i] = 2 }
	syscall.Madvise(guarded[8*page:9*page], 102) // MADV_GUARD_INSTALL, Linux 6.13
	var m map[string]int
	m["crash"] = len(private) + len(shared)
}
`

function build(bed: HandlerBed): string {
  writeFileSync(bed.path('victim.go'), victim)
  execFileSync('go', ['build', '-o', bed.path('victim'), bed.path('victim.go')], {
    cwd: bed.directory,
    env: { ...process.env, GOFLAGS: '', GO111MODULE: 'off' },
  })
  return bed.path('victim')
}

test("memory gives, byte for byte, what the kernel's stream gives", withGo, async () => {
  using bed = new HandlerBed()
  const program = build(bed)
  const compare = join(import.meta.dirname, '../support/compare-memory.ts')
  writeFileSync(
    bed.path('compare'),
    `#!/bin/sh\nexec ${process.execPath} --disable-warning=ExperimentalWarning ${compare} ${bed.path('result')} "$@"\n`,
    { mode: 0o755 },
  )
  await bed.crash(`exec ${program} ${bed.path('mapped')}`, { pattern: `|${bed.path('compare')} %P` })
  const result = JSON.parse(readFileSync(bed.path('result'), 'utf8'))
  assert.deepEqual(result.differences, [])
  assert.ok(result.skipped > 400 << 20, `${result.skipped} bytes were known to be zeros`)
  assert.ok(result.compared > 512 << 20)
  assert.equal(result.rest, 0, 'both end at the same byte')
})

/** Two hundred threads, whose notes are larger than a block where a processor has large registers; and memory touched here and there. */
const threads = `#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
static void *wait_for_ever(void *n) { for (;;) pause(); return n; }
int main() {
  for (int n = 0; n < 200; n++) { pthread_t t; pthread_create(&t, 0, wait_for_ever, 0); }
  char *sparse = mmap(0, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (int i = 0; i < 64 << 20; i += 3 << 20) sparse[i] = i >> 20 | 1;
  usleep(300000);
  raise(SIGSEGV);
}`
const noCompiler = spawnSync('cc', ['--version']).status === 0 ? false : 'a C compiler is not installed'

test('so it does behind the notes of many threads', { skip: noKernel || noCompiler }, async () => {
  using bed = new HandlerBed()
  writeFileSync(bed.path('threads.c'), threads)
  execFileSync('cc', ['-w', '-pthread', '-o', bed.path('threads'), bed.path('threads.c')])
  const compare = join(import.meta.dirname, '../support/compare-memory.ts')
  writeFileSync(
    bed.path('compare'),
    `#!/bin/sh\nexec ${process.execPath} --disable-warning=ExperimentalWarning ${compare} ${bed.path('result')} "$@"\n`,
    { mode: 0o755 },
  )
  await bed.crash(`exec ${bed.path('threads')}`, { pattern: `|${bed.path('compare')} %P` })
  const result = JSON.parse(readFileSync(bed.path('result'), 'utf8'))
  assert.deepEqual(result.differences, [])
  assert.ok(result.compared > 64 << 20)
  assert.equal(result.rest, 0, 'both end at the same byte')
})

test(
  'a process that touched little of its memory leaves a whole core, and its parent hears of a core dump',
  withGo,
  async () => {
    using bed = new HandlerBed()
    const program = build(bed)
    await bed.crash(`exec ${program} ${bed.path('mapped')} ${bed.path('dumped')}`)
    const { manifest } = bed.dumps()[0]!
    assert.equal(manifest.core.state, 'complete')
    assert.equal(manifest.core.raw_size, manifest.core.expected_size)
    assert.ok(manifest.core.raw_size > 512 << 20)
    using source = openCoreFile(bed.store.corePath(bed.dumps()[0]!)!)
    assert.equal(source.size, manifest.core.raw_size)
  },
)
