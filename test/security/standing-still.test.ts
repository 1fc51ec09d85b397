/** Crashes that are made so that they never end: a handler waits for memory that the crasher gives, or does not. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { byFuse } from '../../scripts/faults.d/mounts.ts'
import { kernelLog, noKernel } from '../support/handler-bed.ts'
import { alice, attackBed, become, compile } from './bed.ts'

const unavailable = noKernel || byFuse.unavailable()

/** Maps a file over memory of its own, waits until the file system hangs, and dies. */
const victim = (
  address: string,
  flags: string,
  offset: number,
  rights = 'PROT_READ',
): string => `#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int fd = open("fuse/file", O_RDONLY), rights = ${rights};
  char *at = mmap(${address}, 8192, rights, MAP_PRIVATE | ${flags}, fd, ${offset});
  // Without readahead whoever waits for a page does so beyond SIGKILL.
  if (at == MAP_FAILED || madvise(at, 8192, MADV_RANDOM)) exit(1);
  // Memory below it, so that a pipe is full before the kernel gets to it.
  if (rights & PROT_WRITE) *at = *(char *)mmap(0, 1 << 28, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
  while (access("files/hang", F_OK)) usleep(10000);
  abort();
}`

describe('a crash that never ends', {
  skip: unavailable,
  timeout: 10 * 60_000,
}, () => {
  for (const [name, source] of [
    // The kernel looks whether it is ELF before it writes a byte, fs/coredump.c vma_dump_size.
    ['whose kernel waits', victim('0', '0', 0)],
    // proc_pid_cmdline(5) reads the process's memory: the middle of a long argument.
    [
      'whose arguments lie in a file',
      victim('(void *)((uintptr_t)(argv[1] + 8192) & ~4095)', 'MAP_FIXED', 4096),
    ],
    // What was never touched of a large process is not waited for: its memory is read in the place of the stream.
    ['whose memory is a file’s', victim('0', '0', 4096, 'PROT_READ | PROT_WRITE')],
  ] as const)
    test(`one ${name} keeps nobody else's out, and its handler ends`, async () => {
      using bed = attackBed({ CapturesMax: '1', CapturesWait: '4s' })
      const program = compile(bed, 'victim', source)
      for (const directory of ['fuse', 'files']) mkdirSync(bed.path(directory))
      const ended = (): string[] => kernelLog('ENDED the handler')
      const before = ended().length
      const mounted = await byFuse.mount(bed.path('fuse'), bed.path('files'))
      try {
        await bed.crash(
          `dd if=/dev/zero of=fuse/file bs=4096 count=4; chmod 755 fuse/file
          ${program} $(head -c 40000 /dev/zero | tr '\\0' x) & sleep 1; printf taken >files/hang; sleep 1
          ${become(alice)} sh -c 'kill -SEGV $$'; true`,
        )
        assert.deepEqual(bed.handlers(), [], 'none is left, not even in the kernel')
        const [dump] = bed.dumps().filter(({ manifest }) => manifest.process.uid === alice)
        assert.notEqual(dump?.manifest.core.raw_size ?? 0, 0)
        // Of the second the kernel reads nothing that hangs, and neither do we.
        const [stored] = bed.dumps().filter(({ manifest }) => manifest.process.exe === program)
        assert.equal(ended().length, stored === undefined ? before + 1 : before)
        assert.equal(stored?.manifest.core.state, name.startsWith('whose arguments') ? 'complete' : undefined)
        assert.equal(stored?.manifest.process.cmdline, undefined)
      } finally {
        await mounted.end()
      }
    })
})
