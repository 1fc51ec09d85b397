/** Programs whose crash never ends: whoever records it waits for memory that the crasher gives, or does not. */

import { alice, become } from './bed.ts'

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

/** What they are, and their source in C: each waits for files/hang, and reads fuse/file of at least 16 KiB. */
export const endlessCrashes = [
  // The kernel looks whether it is ELF before it writes a byte, fs/coredump.c vma_dump_size.
  ['whose kernel waits', victim('0', '0', 0)],
  // proc_pid_cmdline(5) reads the process's memory: the middle of a long argument.
  [
    'whose arguments lie in a file',
    victim('(void *)((uintptr_t)(argv[1] + 8192) & ~4095)', 'MAP_FIXED', 4096),
  ],
  // What was never touched of a large process is not waited for: its memory is read in the place of the stream.
  ['whose memory is a file’s', victim('0', '0', 4096, 'PROT_READ | PROT_WRITE')],
] as const

/** Shell text in which such a program crashes for ever, and then another user's. */
export const crashBehind = (program: string): string =>
  `dd if=/dev/zero of=fuse/file bs=4096 count=4; chmod 755 fuse/file
  ${program} $(head -c 40000 /dev/zero | tr '\\0' x) & sleep 1; printf taken >files/hang; sleep 1
  ${become(alice)} sh -c 'kill -SEGV $$'; true`
