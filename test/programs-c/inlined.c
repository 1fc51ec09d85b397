/* Dies below calls that an optimising compiler puts into one another, on two threads. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct item { struct item *volatile next; volatile int weight; };
static volatile int sink;

static inline __attribute__((always_inline)) int weigh(struct item *of, int by) {
  int twice = by * 2;
  sink += twice;
  return of->next->weight + twice;
}

static inline __attribute__((always_inline)) int weigh_all(struct item *of, int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) {
    int part = weigh(of, i);
    sum += part;
  }
  return sum;
}

static inline __attribute__((always_inline)) void give_up(int code) {
  sink = code;
  abort();
}

__attribute__((noinline)) int carry(struct item *of, int count) {
  int all = weigh_all(of, count);
  return all + sink;
}

static inline __attribute__((always_inline)) int load(struct item *of, int count) {
  if (count > 5) give_up(count);
  return carry(of, count) + 1;
}

static inline __attribute__((always_inline)) void rest(int seconds) { while (seconds) sleep(seconds); }

static void *idle(void *unused) {
  rest(100);
  return unused;
}

int main(int argc, char **argv) {
  pthread_t thread;
  struct item last = {NULL, 3};
  (void)argv;
  pthread_create(&thread, NULL, idle, NULL);
  usleep(20000);
  return load(&last, argc > 1 ? 6 : 2) + sink;
}
