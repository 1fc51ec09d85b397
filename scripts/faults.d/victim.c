/*
 * A process that crashes as it is told: `memory MB`, `threads N`, `mappings N`, `sparse GB`. It prints what it got, and where:
 * truth.ts knows what lies there.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static _Atomic long waiting;

static void *wait_for_ever(void *unused) {
  for (waiting++;;) pause();
  return unused;
}

int main(int argc, char **argv) {
  long n = argc > 2 ? atol(argv[2]) : 0, got = 0;
  char *memory = 0;
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
  setrlimit(RLIMIT_CORE, &limit);
  if (!strcmp(argv[1], "memory")) {
    memory = malloc(n << 20);
    for (; got < n << 20; got += 8) *(long *)(memory + got) = got * 2654435761;
  } else if (!strcmp(argv[1], "threads")) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (pthread_t thread; got < n && !pthread_create(&thread, &small, wait_for_ever, 0); got++);
    while (waiting < got) usleep(1000);
  } else if (!strcmp(argv[1], "mappings")) {
    /* Neighbours with different rights are not joined. */
    memory = mmap(0, n * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (; got < n && !mprotect(memory + got * 4096, 4096, PROT_READ | PROT_WRITE); got += 2) memory[got * 4096] = 1;
  } else if (!strcmp(argv[1], "sparse")) {
    memory = mmap(0, n << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) for (; got < n; got += 10) memory[got << 30] = 1;
  }
  printf("%ld %ld\n", got, (long)memory);
  fflush(stdout);
  if (argc > 3) getchar();
  raise(SIGSEGV);
}
