/* A C program with Go inside, which dies in the Go half, in C, or on a thread that Go knows nothing of. */
#include "lib.h"

#include <pthread.h>
#include <string.h>

__attribute__((noinline)) static int poke(volatile int *at) { return *at + 1; }

static void *elsewhere(void *unused) { return poke(NULL) ? unused : NULL; }

int main(int argc, char **argv) {
  const char *way = argc > 1 ? argv[1] : "go";
  int three = Three();
  if (!strcmp(way, "go")) return Pick(three) + 1;
  if (!strcmp(way, "c")) return poke(NULL) + 1;
  pthread_t thread;
  pthread_create(&thread, NULL, elsewhere, NULL);
  pthread_join(thread, NULL);
  return 0;
}
