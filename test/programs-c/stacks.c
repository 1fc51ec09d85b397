/* Dies in C, in as many ways as there are arguments to say: plain, null, abort, assert, fpe, deep, handler. */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
  struct node *volatile next;
  volatile int value;
};

static void give_up(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  abort();
}

__attribute__((noinline)) static int sum(struct node *n) {
  int total = n->value;
  if (total < 100) total += sum(n->next);
  return total + 1;
}

__attribute__((noinline)) static int compare(const void *a, const void *b) {
  (void)b;
  return sum(*(struct node *const *)a) - 1;
}

__attribute__((noinline)) static int share(volatile int total, volatile int parts) { return total / parts + 1; }

__attribute__((noinline)) static int dive(volatile int depth) { return dive(depth + 1) + depth; }

static void *idle(void *unused) {
  pause();
  return unused;
}

__attribute__((noinline)) static int death(const char *way) {
  struct node last = {NULL, 1}, first = {&last, 2};
  struct node *list[] = {&first, &last};
  void (*volatile nowhere)(void) = NULL;
  if (!strcmp(way, "abort")) abort();
  if (!strcmp(way, "assert")) assert(list[0] == NULL);
  if (!strcmp(way, "null")) return nowhere(), 1;
  if (!strcmp(way, "deep")) return dive(0);
  if (!strcmp(way, "fpe")) return share(7, 0) + 1;
  if (!strcmp(way, "handler")) {
    struct sigaction action = {.sa_sigaction = give_up, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
  }
  qsort(list, 2, sizeof list[0], compare);
  return 0;
}

int main(int argc, char **argv) {
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
  usleep(20000);
  return death(argc > 1 ? argv[1] : "plain");
}
