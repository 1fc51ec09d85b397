/** Descriptor 0, which must never be free. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLibc } from '../../src/handler/libc.ts'
import { attackBed, compile } from '../security/bed.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const source = join(import.meta.dirname, '../../src/handler/standard-input.ts')
const script = `
import { readFileSync, readlinkSync } from 'node:fs'
const { closeStandardInput, takeStandardInput } = await import(${JSON.stringify(source)})
const fd = takeStandardInput()
const at = readlinkSync('/proc/self/fd/0')
const text = readFileSync(fd, 'utf8')
closeStandardInput(fd)
console.log(JSON.stringify([fd > 2, at, text, readlinkSync('/proc/self/fd/0')]))
`
const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
const moved = [true, '/dev/null', 'a core', '/dev/null']

test('takeStandardInput() puts /dev/null in the place of whatever the core comes from', {
  skip: openLibc() === undefined ? 'no node:ffi' : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'standard-input-'))
  try {
    const file = join(folder, 'core')
    writeFileSync(file, 'not of it, a core')
    // A socket, a pipe, and a file of which a part was read.
    const socket = spawnSync(process.execPath, node, { input: 'a core' })
    const shell = (text: string): string =>
      execFileSync('/bin/sh', ['-c', text, process.execPath, ...node], { encoding: 'utf8' })
    const pipe = shell('printf "a core" | "$0" "$@"')
    const part = shell(`{ dd bs=11 count=1 of=/dev/null 2>/dev/null; "$0" "$@"; } < ${file}`)
    for (const said of [String(socket.stdout), pipe, part]) assert.deepEqual(JSON.parse(said), moved)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Dies as a file without a name, of no file system that is mounted: its executable is opened by a thread. */
const nameless = `#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (argc > 1) abort();
  int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("nameless", MFD_CLOEXEC);
  while (sendfile(to, from, 0, 1 << 20) > 0);
  char *args[] = { "nameless", "die", 0 }, *none[] = { 0 };
  fexecve(to, args, none);
  return 1;
}`

/** The handler, which says of each thread what descriptor 0 was when it was started. */
const watched = (handler: string, told: string): string => `
import { appendFileSync, readlinkSync } from 'node:fs'
const threads = process.getBuiltinModule('node:worker_threads')
const { Worker } = threads
threads.Worker = class extends Worker {
  constructor(...args) {
    appendFileSync(${JSON.stringify(told)}, readlinkSync('/proc/self/fd/0') + '\\n')
    super(...args)
  }
}
await import(${JSON.stringify(handler)})
`

test('the handler starts no thread before the core has left descriptor 0', { skip: noKernel }, async () => {
  const { handler } = HandlerBed
  const folder = mkdtempSync(join(tmpdir(), 'watched-'))
  try {
    HandlerBed.handler = join(folder, 'handler.mjs')
    writeFileSync(HandlerBed.handler, watched(handler, join(folder, 'told')))
    using bed = attackBed()
    await bed.crash(`${compile(bed, 'nameless', nameless)}; true`)
    const seen = readFileSync(join(folder, 'told'), 'utf8').trimEnd().split('\n')
    assert.ok(seen.length >= 2, 'one for files, and one for the archive')
    assert.deepEqual(new Set(seen), new Set(['/dev/null']))
    assert.ok(bed.dumps()[0]?.manifest.executable?.key)
  } finally {
    HandlerBed.handler = handler
    rmSync(folder, { recursive: true })
  }
})
